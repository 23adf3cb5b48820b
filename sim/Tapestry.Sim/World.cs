using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;
using Tapestry.Sim.Faults;

namespace Tapestry.Sim;

/// <summary>Which part of a world a stream of chance is for.</summary>
internal enum WorldStream : byte
{
    Network = 1,
    Work = 2,
    Faults = 3,
    Crimes = 4,
    Clocks = 5,
}

/// <summary>A network of partners in virtual time: the same rules that the daemon runs, and every fault that the options ask for.</summary>
/// <remarks>specs/70-simulation.md. One thread; all chance from one seed.</remarks>
public sealed class World : IDisposable
{
    /// <summary>Wall time when a world begins, in milliseconds since the Unix epoch; any would do.</summary>
    public const long StartMs = 1_700_000_000_000;

    private const int VerifiedMaximum = 1 << 17;

    private readonly SortedDictionary<MemberId, Host> _byId = [];
    private readonly Host[] _hosts;
    private readonly SigningKey[] _keys;
    private readonly Trace _trace = new();
    private readonly HashSet<object> _verified = new(ReferenceEqualityComparer.Instance);
    private readonly RandomStream _faults;

    /// <summary>Builds a world; nothing has happened in it yet.</summary>
    public World(WorldOptions options)
    {
        Options = options;
        Genesis = SimPlan.GenesisOf(options, out _keys);
        Committee = new Committee(Genesis.Committee);
        _faults = Stream(WorldStream.Faults);
        Network = new Network(this);
        Work = new ModelledWork(this);
        Oracle = new Oracle(this);
        RandomStream clocks = Stream(WorldStream.Clocks);
        _hosts = [.. Genesis.Members.Select((member, index) =>
            new Host(this, index, member.Id, _keys[index], clocks.Between(-options.ClockSkewMs, options.ClockSkewMs)))];
        foreach (Host host in _hosts)
        {
            host.Blobs.Add(Genesis.InitialBase, host.Round);
            _byId.Add(host.Id, host);
        }

        ChooseCriminals();
        ScheduleFaults();
    }

    internal WorldOptions Options { get; }

    internal Genesis Genesis { get; }

    internal Committee Committee { get; }

    internal EventHeap Time { get; } = new();

    internal Network Network { get; }

    internal ModelledWork Work { get; }

    internal Oracle Oracle { get; }

    /// <summary>Shards whose aggregation overflows.</summary>
    internal HashSet<Digest> Overflowing { get; } = [];

    internal IReadOnlyList<Host> Hosts => _hosts;

    internal bool HasHealed => Time.NowUs >= Options.HealAtMs * 1000;

    internal int Crashes { get; private set; }

    /// <summary>Runs until every honest member has finished the plan, something is wrong, or time is up.</summary>
    public WorldReport Run(CancellationToken stopping)
    {
        foreach (Host host in _hosts)
        {
            Time.In(0, host.Start);
        }

        long limitUs = (Options.HealAtMs + (Options.RoundBoundMs * (Options.Rounds + 1))) * 1000;
        while (!IsDone && !Oracle.HasViolation && TryNext(limitUs))
        {
            stopping.ThrowIfCancellationRequested();
        }

        if (!IsDone && !Oracle.HasViolation)
        {
            Oracle.Violate("liveness", $"not every honest member finished {Options.Rounds} rounds by {Time.NowUs / 1000} ms: {Positions()}");
        }

        return WorldReport.Of(this, _trace.Current());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _trace.Dispose();
        foreach (SigningKey key in _keys)
        {
            key.Dispose();
        }
    }

    internal RandomStream Stream(WorldStream part) => new(Options.Seed, (long)part);

    internal Host HostOf(MemberId member) => _byId[member];

    internal Partner Restore(Host host) =>
        Partner.RestoreBroken(Genesis, host.Key, host.Disk, host.IsHonest ? Options.SeededBug : SeededBug.None);

    internal void Crashed(Host host, long? downMs)
    {
        Crashes++;
        if (host.IsHonest)
        {
            foreach (Table table in Options.Forgotten)
            {
                host.Disk.Lose(table);
            }
        }

        Time.In((downMs ?? _faults.Between(1, 30 * Options.DelayMs)) * 1000, host.Start);
    }

    /// <summary>Whether every signature in a message holds. The same bytes are checked once, whoever receives them.</summary>
    internal bool Verifies(PeerMessage message)
    {
        object key = message is PeerMessage.Signed signed ? signed.Statement : message;
        if (_verified.Contains(key))
        {
            return true;
        }

        bool holds = message switch
        {
            PeerMessage.Signed one => one.Statement.Verify(),
            PeerMessage.Certified many => many.Certificate.Verify(Committee),
            _ => true,
        };
        if (holds)
        {
            if (_verified.Count >= VerifiedMaximum)
            {
                _verified.Clear();
            }

            _verified.Add(key);
        }

        return holds;
    }

    internal void Trace(Host host, PartnerEvent input)
    {
        (byte what, int detail) = input switch
        {
            PartnerEvent.Started => ((byte)1, host.Life),
            PartnerEvent.MessageReceived received => ((byte)2, DetailOf(received.Message)),
            PartnerEvent.TimerFired fired => ((byte)3, ((int)fired.Timer.Kind << 24) ^ fired.Timer.Generation),
            PartnerEvent.EffectEnded ended => ((byte)4, (int)ended.Effect.Number),
            _ => ((byte)0, 0),
        };
        _trace.Add(Time.NowUs, host.Index, what, detail);
    }

    private static int DetailOf(PeerMessage message) => message switch
    {
        PeerMessage.Signed signed => signed.Statement.Signature.GetHashCode(),
        PeerMessage.Certified certified => certified.Certificate.Value.GetHashCode() ^ certified.Certificate.View,
        PeerMessage.Status status => unchecked((int)status.Round * 31) ^ status.View,
        PeerMessage.Want want => want.Manifests[0].GetHashCode(),
        _ => 0,
    };

    private bool IsDone => _hosts.All(host => !host.IsHonest || (host.Partner?.IsFinished == true));

    /// <summary>Lets the next event happen; an exception out of the rules is a broken promise like any other.</summary>
    private bool TryNext(long limitUs)
    {
        try
        {
            return Time.TryNext(limitUs);
        }
#pragma warning disable CA1031 // Whatever escapes the rules is a finding, to be reported with its seed.
        catch (Exception error)
#pragma warning restore CA1031
        {
            Oracle.Violate("no exception", error.ToString());
            return false;
        }
    }

    private string Positions() => string.Join(", ", _hosts.Where(host => host.IsHonest).Select(host =>
        host.Partner?.Status is PartnerStatus status
            ? $"{host.Index}: round {status.Round} {status.Phase} views {status.SetView}/{status.ResultView}{host.HaltedFor}"
            : $"{host.Index}: down").Take(16));

    private void ChooseCriminals()
    {
        RandomStream random = Stream(WorldStream.Crimes);
        Host[] seats = [.. _hosts.Where(host => Committee.Contains(host.Id))];
        Host[] followers = [.. _hosts.Where(host => !Committee.Contains(host.Id))];
        foreach ((Host[] group, int count) in ((Host[], int)[])[(seats, Options.ByzantineSeats), (followers, Options.ByzantineFollowers)])
        {
            for (int chosen = 0; chosen < count; chosen++)
            {
                int other = (int)random.Between(chosen, group.Length - 1);
                (group[chosen], group[other]) = (group[other], group[chosen]);
                group[chosen].Fault = Crimes.Choose(Options.Crime, this, group[chosen], random);
            }
        }
    }

    private void ScheduleFaults()
    {
        long healUs = Options.HealAtMs * 1000;
        for (int crash = 0; crash < Options.Crashes && healUs > 0; crash++)
        {
            Host victim = _hosts[_faults.Below(_hosts.Length)];
            CrashPoint point = (CrashPoint)_faults.Below(3);
            bool atOnce = _faults.Chance(0.25);
            Time.In(_faults.Below(healUs), () =>
            {
                if (atOnce)
                {
                    victim.Crash();
                }
                else
                {
                    victim.ArmedCrash = point;
                }
            });
        }

        for (int partition = 0; partition < Options.Partitions && healUs > 0; partition++)
        {
            bool[] side = [.. _hosts.Select(_ => _faults.Chance(0.5))];
            long start = _faults.Below(healUs);
            long length = Math.Min(_faults.Between(1, 40 * Options.DelayMs) * 1000, healUs - start);
            Time.In(start, () =>
            {
                Action heal = Network.Separate(side);
                Time.In(length, heal);
            });
        }
    }
}
