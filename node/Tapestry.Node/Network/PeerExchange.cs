using System.Threading.Channels;
using Tapestry.Libp2p;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>Members tell each other where the others are, by the records that those signed: who knows one member soon knows all.</summary>
/// <remarks>specs/50-network.md, section 11.5. Nobody has to be believed: a record speaks for its signer alone, and only members' are kept.</remarks>
/// <param name="host">The libp2p host, whose address book is filled and told from.</param>
/// <param name="genesis">Whose records count.</param>
/// <param name="neighbours">Who is who.</param>
/// <param name="settings">What links share.</param>
internal sealed class PeerExchange(Libp2pHost host, Genesis genesis, Neighbours neighbours, LinkSettings settings)
{
    // What a link's first question misses is asked for again; records change rarely, and a push tells connected members at once.
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    // What one of them hides, the other tells.
    private const int AskedEachTime = 2;

    // Above what an honest member asks that redials every second; an answer may be thousands of times as long as its question.
    private const int AnswersPerMinute = 120;

    private readonly Channel<bool> _wanted = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly PeerRate _rate = new(AnswersPerMinute, int.MaxValue, settings.Time);
    private readonly Random _choice = new(host.PeerId.GetHashCode());

    /// <summary>Starts to answer.</summary>
    public void Register() => host.HandleFrames(TapestryProtocols.Peers, PeerQuestion.BytesMax, AnswerAsync);

    /// <summary>Says that a member cannot be reached: perhaps another knows where it is now.</summary>
    public void Want() => _wanted.Writer.TryWrite(true);

    /// <summary>Asks some connected members every few minutes, and while a member cannot be reached as often as links redial.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await Task.Delay(settings.RedialPauseMax, settings.Time, stopping);
                using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stopping);
                Task pause = Task.Delay(Interval * (0.5 + _choice.NextDouble()), settings.Time, over.Token);
                await Task.WhenAny(pause, _wanted.Reader.ReadAsync(over.Token).AsTask());
                await over.CancelAsync();
                stopping.ThrowIfCancellationRequested();
                PeerId[] connected = [.. host.Connections.Select(connection => connection.Remote).Distinct()];
                _choice.Shuffle(connected);
                await Task.WhenAll(connected.Take(AskedEachTime).Select(peer => AskAsync(peer, stopping)));
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // We stop.
        }
    }

    /// <summary>Asks one connected member for the records that are newer than ours. Does not throw on what it answers, or when it is stopped.</summary>
    public async Task AskAsync(PeerId peer, CancellationToken stopping)
    {
        if (!neighbours.TryGetMember(peer, out Member? teller))
        {
            return;
        }

        byte[] question = new PeerQuestion(Known()).ToArray();
        RequestLimits limits = new(SignedEnvelope.MaximumLength, settings.RequestTimeout);
        int frames = 0;
        try
        {
            await foreach (ReadOnlyMemory<byte> frame in host.RequestFramesAsync(peer, TapestryProtocols.Peers, question, limits, stopping))
            {
                settings.Traffic.Received(frame.Length);
                frames++;
                if (frames > genesis.Members.Count || !TryTake(frame.Span))
                {
                    settings.Board.Count(teller.Id, MemberFault.BadBody);
                    NetworkLog.WrongAnswer(settings.Logger, teller.Name, TapestryProtocols.Peers);
                    return;
                }
            }
        }
        catch (Libp2pException error)
        {
            NetworkLog.StreamFailed(settings.Logger, teller.Name, TapestryProtocols.Peers, error.Fault.ToString());
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // We stop.
        }
    }

    private bool TryTake(ReadOnlySpan<byte> frame)
    {
        if (SignedPeerRecord.TryOpen(frame, out SignedPeerRecord? record) != RecordFault.None
            || (record!.Peer != host.PeerId && !neighbours.TryGetMember(record.Peer, out _)))
        {
            return false;
        }

        host.AddressBook.Accept(record);
        return true;
    }

    private async ValueTask<bool> AnswerAsync(PeerId from, ReadOnlyMemory<byte> bytes, ResponseFrames answer, CancellationToken ended)
    {
        if (!neighbours.TryGetMember(from, out Member? asker))
        {
            return false;
        }

        if (!_rate.TryTake(from))
        {
            settings.Board.Count(asker.Id, Libp2pFault.RateLimit);
            return false;
        }

        if (!PeerQuestion.TryRead(bytes.Span, out PeerQuestion? question))
        {
            return false;
        }

        foreach (Member member in genesis.Members)
        {
            SignedPeerRecord? record = host.AddressBook.RecordOf(PeerId.From(member.PeerKey));
            if (record is not null && question.Wants(member.PeerKey, record.Record.Sequence))
            {
                await answer.WriteAsync(record.Envelope.Encoded, ended);
                settings.Traffic.Sent(record.Envelope.Encoded.Length);
            }
        }

        return true;
    }

    private IEnumerable<KeyValuePair<Crypto.PublicKey, ulong>> Known() =>
        from member in genesis.Members
        let record = host.AddressBook.RecordOf(PeerId.From(member.PeerKey))
        where record is not null
        select KeyValuePair.Create(member.PeerKey, record.Record.Sequence);
}
