using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Sim.Faults;

namespace Tapestry.Sim;

/// <summary>Where a crash strikes within one step.</summary>
internal enum CrashPoint : byte
{
    BeforeRecords = 0,
    AfterRecords = 1,
    AmongEffects = 2,
}

/// <summary>A member's machine in a world: runs the partner's steps one at a time, syncs records, then performs effects.</summary>
internal sealed class Host(World world, int index, MemberId id, SigningKey key, long clockOffsetMs)
{
    private const int InboxMaximum = 4096;

    private readonly Queue<PartnerEvent> _inbox = new();
    private readonly Dictionary<(TimerKind, long, AgreementKind), TimerId> _timers = [];
    private readonly HashSet<long> _cancelled = [];
    private bool _isSyncing;
    private bool _crashedInApply;

    internal int Index { get; } = index;

    internal MemberId Id { get; } = id;

    internal SigningKey Key { get; } = key;

    internal Disk Disk { get; } = new();

    internal HeldBlobs Blobs { get; } = new();

    /// <summary>The round that the member works on; 1 before it has started.</summary>
    internal long Round => Partner?.Status.Round ?? 1;

    /// <summary>What makes the member Byzantine; null for an honest one.</summary>
    internal Fault? Fault { get; set; }

    internal bool IsHonest => Fault is null;

    internal Partner? Partner { get; private set; }

    internal bool IsUp => Partner is not null;

    /// <summary>Counts restarts: whatever was begun in an earlier life never ends in a later one.</summary>
    internal int Life { get; private set; }

    internal CrashPoint? ArmedCrash { get; set; }

    /// <summary>Synced writes begun, over all lives.</summary>
    internal int Writes { get; private set; }

    internal long UplinkFreeUs { get; set; }

    internal long SentBytes { get; set; }

    internal string? HaltedFor { get; private set; }

    internal Instant Now => new(World.StartMs + clockOffsetMs + (world.Time.NowUs / 1000), (world.Time.NowUs / 1000) + (Life * 7919L));

    internal void Start()
    {
        Life++;
        Partner = world.Restore(this);
        Deliver(new PartnerEvent.Started());
    }

    /// <summary>Loses everything but disk and blobs.</summary>
    /// <param name="downMs">How long until it starts again; null leaves that to chance.</param>
    internal void Crash(long? downMs = null)
    {
        if (IsUp)
        {
            Life++;
            Partner = null;
            ArmedCrash = null;
            _inbox.Clear();
            _timers.Clear();
            _cancelled.Clear();
            _isSyncing = false;
            world.Crashed(this, downMs);
        }
    }

    internal void Deliver(PartnerEvent input)
    {
        if (IsUp && _inbox.Count < InboxMaximum)
        {
            _inbox.Enqueue(input);
            Run();
        }
    }

    /// <summary>Delivers to this life only: what an effect of an earlier one came to is lost.</summary>
    internal void DeliverIn(long delayUs, Func<PartnerEvent> input)
    {
        int life = Life;
        world.Time.In(delayUs, () =>
        {
            if (life == Life)
            {
                Deliver(input());
            }
        });
    }

    private void Run()
    {
        while (IsUp && !_isSyncing && _inbox.TryDequeue(out PartnerEvent? input))
        {
            world.Trace(this, input);
            Step step = Partner!.Step(input, Now);
            if (step.Records.Count == 0)
            {
                Perform(step.Effects);
            }
            else
            {
                Sync(step);
            }
        }
    }

    private void Sync(Step step)
    {
        CrashPoint? crash = ArmedCrash;
        ArmedCrash = null;
        Writes++;
        if (world.Options.CrashAt is (int member, int write, CrashPoint point) && member == Index && write == Writes)
        {
            crash = point;
        }

        if (crash == CrashPoint.BeforeRecords)
        {
            Crash();
            return;
        }

        _isSyncing = true;
        int life = Life;
        world.Time.In(world.Options.SyncUs, () =>
        {
            if (life != Life)
            {
                return;
            }

            Disk.Sync(step.Records);
            world.Oracle.Synced(this, step.Records);
            _isSyncing = false;
            if (crash == CrashPoint.AfterRecords)
            {
                Crash();
                return;
            }

            int count = crash == CrashPoint.AmongEffects ? step.Effects.Count / 2 : step.Effects.Count;
            Perform(step.Effects.Take(count));
            if (crash == CrashPoint.AmongEffects)
            {
                Crash();
            }
            else
            {
                Run();
            }
        });
    }

    private void Perform(IEnumerable<Effect> effects)
    {
        foreach (Effect wanted in effects)
        {
            // A liar can say different things to different members; gossip would only take that from it.
            Effect effect = wanted is Effect.Publish publish ? new Effect.Send(publish.To, publish.Message) : wanted;
            if (Fault is null)
            {
                world.Oracle.Performed(this, effect);
                Perform(effect);
                continue;
            }

            foreach (Effect distorted in Fault.Distort(effect))
            {
                Perform(distorted);
            }
        }
    }

    private void Perform(Effect effect)
    {
        switch (effect)
        {
            case Effect.Send send:
                world.Network.Send(this, send);
                break;
            case Effect.SetTimer set:
                SetTimer(set);
                break;
            case Effect.Cancel cancel:
                _cancelled.Add(cancel.Id.Number);
                EndIn(0, cancel.Id, new EffectOutcome.Failed(EffectFault.Cancelled, null));
                break;
            case Effect.Halt halt:
                HaltedFor = halt.Reason;
                break;
            case Effect.Forget forget:
                Blobs.Forget(forget.Round, Partner!.Status.Base, forget.Keep);
                break;
            case Effect.Report or Effect.RoundEnded:
                break;
            case Effect.ApplyAggregate apply when world.Options.CrashInApply is (int member, long round, long downMs)
                && member == Index && round == apply.Result.Instance.Round && !_crashedInApply:
                _crashedInApply = true;
                world.Time.In(0, () => Crash(downMs));
                break;
            default:
                world.Work.Begin(this, effect);
                break;
        }
    }

    /// <summary>Ends an effect after a delay, unless it was cancelled or the member crashes.</summary>
    internal void EndIn(long delayUs, EffectId effect, EffectOutcome outcome) =>
        DeliverIn(delayUs, () => new PartnerEvent.EffectEnded(effect, outcome));

    internal bool IsCancelled(EffectId effect) => _cancelled.Contains(effect.Number);

    private void SetTimer(Effect.SetTimer set)
    {
        (TimerKind, long, AgreementKind) slot = (set.Timer.Kind, set.Timer.Round, set.Timer.Agreement);
        _timers[slot] = set.Timer;
        int life = Life;
        world.Time.In(Math.Max(0, set.AtMonotonicMs - Now.MonotonicMs) * 1000, () =>
        {
            if (life == Life && _timers.GetValueOrDefault(slot) == set.Timer)
            {
                _timers.Remove(slot);
                Deliver(new PartnerEvent.TimerFired(set.Timer));
            }
        });
    }
}
