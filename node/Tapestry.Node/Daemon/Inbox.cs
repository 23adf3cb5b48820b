using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Daemon;

/// <summary>What waits for the loop, in order of arrival; bounded, and shared so that no member's messages keep out the others'.</summary>
internal sealed class Inbox
{
    /// <summary>Events waiting: a whole committee's votes and receipts of a round, several times.</summary>
    internal const int Events = 4096;

    private readonly Channel<PartnerEvent> _events = Channel.CreateBounded<PartnerEvent>(
        new BoundedChannelOptions(Events) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly Dictionary<MemberId, int> _waiting = [];

    /// <summary>An empty inbox.</summary>
    /// <param name="members">The members of the network, at least 1.</param>
    public Inbox(int members) => Share = Math.Clamp(2 * Events / members, 1, Events / 2);

    /// <summary>How many messages of one member may wait: twice an equal part, so that all the liars whom the rules bear, less than a third, leave a third free.</summary>
    internal int Share { get; }

    /// <summary>Hands in a message of a peer.</summary>
    /// <returns>False when there is no room, or its sender has used up its share.</returns>
    public bool TryAccept(MemberId from, PeerMessage message)
    {
        lock (_waiting)
        {
            int waiting = _waiting.GetValueOrDefault(from);
            if (waiting >= Share || !_events.Writer.TryWrite(new PartnerEvent.MessageReceived(from, message)))
            {
                return false;
            }

            _waiting[from] = waiting + 1;
            return true;
        }
    }

    /// <summary>Hands in an event of this machine, waiting for room.</summary>
    public ValueTask PostAsync(PartnerEvent happened) =>
        _events.Writer.TryWrite(happened) ? ValueTask.CompletedTask : WaitToPostAsync(happened);

    /// <summary>Everything that is handed in, until <see cref="Close"/>; one reader.</summary>
    public async IAsyncEnumerable<PartnerEvent> ReadAllAsync([EnumeratorCancellation] CancellationToken cancelled)
    {
        await foreach (PartnerEvent happened in _events.Reader.ReadAllAsync(cancelled))
        {
            if (happened is PartnerEvent.MessageReceived received)
            {
                lock (_waiting)
                {
                    _waiting[received.From]--;
                }
            }

            yield return happened;
        }
    }

    /// <summary>Takes nothing any more; whoever waits for room goes on.</summary>
    public void Close() => _events.Writer.TryComplete();

    private async ValueTask WaitToPostAsync(PartnerEvent happened)
    {
        try
        {
            await _events.Writer.WriteAsync(happened);
        }
        catch (ChannelClosedException)
        {
            // The daemon has stopped: nobody waits for this any more.
        }
    }
}
