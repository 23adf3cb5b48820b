using Microsoft.Extensions.Hosting;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Daemon;

/// <summary>Runs the rules: the only writer of this member's state.</summary>
/// <remarks>
/// All input arrives through one bounded inbox and is applied on one task: step, sync the records in one batch, then
/// perform the effects in order. So the state needs no lock, nothing is sent before it is durable, and a crash anywhere
/// restarts from the last synced step. What peers send is dropped when the inbox is full (the rules ask again); what
/// this machine owes itself, timers and ends of effects, waits for room.
/// </remarks>
internal sealed class PartnerLoop : BackgroundService
{
    private readonly Inbox _inbox;
    private readonly Partner _partner;
    private readonly RecordStore _records;
    private readonly MonotonicClock _clock;
    private readonly DaemonEnd _end;
    private IEffectPerformer? _performer;

    /// <summary>A loop that has not started.</summary>
    /// <param name="genesis">The network, whose members share the inbox.</param>
    /// <param name="partner">The rules, restored from the records.</param>
    /// <param name="records">The durable records.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="end">Told when the loop cannot go on.</param>
    public PartnerLoop(Genesis genesis, Partner partner, RecordStore records, MonotonicClock clock, DaemonEnd end)
    {
        _inbox = new Inbox(genesis.Members.Count);
        _partner = partner;
        _records = records;
        _clock = clock;
        _end = end;
    }

    /// <summary>Hands in a message of a peer.</summary>
    /// <returns>False when the loop is behind, or behind with this peer, and the message was dropped.</returns>
    public bool TryAccept(MemberId from, PeerMessage message) => _inbox.TryAccept(from, message);

    /// <summary>Hands in an event of this machine, waiting for room.</summary>
    public ValueTask PostAsync(PartnerEvent happened) => _inbox.PostAsync(happened);

    /// <summary>Says who performs the effects; before the start.</summary>
    public void PerformWith(IEffectPerformer performer) => _performer = performer;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            Apply(new PartnerEvent.Started());
            await foreach (PartnerEvent happened in _inbox.ReadAllAsync(stoppingToken))
            {
                Apply(happened);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The daemon is asked to stop: every step so far is durable.
        }
#pragma warning disable CA1031 // The root of a task: whatever escapes stops the daemon and is reported there.
        catch (Exception error)
#pragma warning restore CA1031
        {
            _end.Fail(error);
        }
        finally
        {
            // Nobody reads any more: whoever still has something to say must not wait for room.
            _inbox.Close();
        }
    }

    private void Apply(PartnerEvent happened)
    {
        Step step = _partner.Step(happened, _clock.Now);
        if (step.Records.Count > 0)
        {
            _records.Write(step.Records);
        }

        foreach (Effect effect in step.Effects)
        {
            _performer!.Perform(effect);
        }

        _performer!.Show(_partner.Status);
    }
}

/// <summary>Performs what the rules want done.</summary>
internal interface IEffectPerformer
{
    /// <summary>Performs an effect, or starts it: never waits. Called from the loop's task only.</summary>
    void Perform(Effect effect);

    /// <summary>Shows people where the partner stands.</summary>
    void Show(PartnerStatus status);
}
