using Tapestry.Protocol;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim;

/// <summary>A world to simulate; equal options give equal runs.</summary>
public sealed record WorldOptions
{
    /// <summary>Where all chance comes from.</summary>
    public required long Seed { get; init; }

    /// <summary>Members, N.</summary>
    public required int Members { get; init; }

    /// <summary>Seats of the committee, n; at most the members.</summary>
    public required int Committee { get; init; }

    /// <summary>Rounds of the plan.</summary>
    public required long Rounds { get; init; }

    /// <summary>How many seats belong to Byzantine members.</summary>
    public int ByzantineSeats { get; init; }

    /// <summary>How many members without a seat are Byzantine.</summary>
    public int ByzantineFollowers { get; init; }

    /// <summary>Which crime every Byzantine member commits, by name; null for a random choice each.</summary>
    public string? Crime { get; init; }

    /// <summary>Crashes, each at a random moment before <see cref="HealAtMs"/>.</summary>
    public int Crashes { get; init; }

    /// <summary>Partitions of random sides and lengths before <see cref="HealAtMs"/>.</summary>
    public int Partitions { get; init; }

    /// <summary>Probability that a message is lost before <see cref="HealAtMs"/>.</summary>
    public double Loss { get; init; }

    /// <summary>Probability that a message arrives twice.</summary>
    public double Duplication { get; init; }

    /// <summary>Probability that a message before <see cref="HealAtMs"/> takes many times as long.</summary>
    public double LongDelay { get; init; }

    /// <summary>When the faults of machines and links end, in milliseconds; Byzantine members go on.</summary>
    public long HealAtMs { get; init; }

    /// <summary>Whether loss goes on after <see cref="HealAtMs"/>, and for ever.</summary>
    public bool LossForEver { get; init; }

    /// <summary>The bound on delays after <see cref="HealAtMs"/>, Delta, in milliseconds; ordinary ones lie between a fifth of it and all of it.</summary>
    public int DelayMs { get; init; } = 100;

    /// <summary>The shortest training, in milliseconds.</summary>
    public int TrainMinimumMs { get; init; } = 200;

    /// <summary>The longest training, in milliseconds.</summary>
    public int TrainMaximumMs { get; init; } = 600;

    /// <summary>From a round's start to a member's own deadline, in milliseconds.</summary>
    public int ContributeMs { get; init; } = 2000;

    /// <summary>How often a waiting member asks again, in milliseconds.</summary>
    public int ResendMs { get; init; } = 200;

    /// <summary>Rounds whose bodies and blobs are kept.</summary>
    public int KeepRounds { get; init; } = 8;

    /// <summary>Bytes of one encoded update.</summary>
    public long UpdateBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes of the base, parameters and momentum.</summary>
    public long BaseBytes { get; init; } = 256 * 1024;

    /// <summary>What a member can send, in megabits a second.</summary>
    public int UplinkMbps { get; init; } = 1000;

    /// <summary>How long a synced write takes, in microseconds.</summary>
    public int SyncUs { get; init; } = 150;

    /// <summary>Largest distance of a member's clock from true time, in milliseconds; the plan accepts twice that.</summary>
    public int ClockSkewMs { get; init; } = 20;

    /// <summary>Virtual time after <see cref="HealAtMs"/> in which a round must end, in milliseconds.</summary>
    public long RoundBoundMs { get; init; } = 60_000;

    /// <summary>One crash at an exact place: which member, at its how-manieth synced write, where in that step; null for none.</summary>
    internal (int Member, int Write, CrashPoint Point)? CrashAt { get; init; }

    /// <summary>A crash while a member applies the aggregate of a round: which member, which round, how long it is down; null for none.</summary>
    internal (int Member, long Round, long DownMs)? CrashInApply { get; init; }

    /// <summary>A member whose FINALIZE, and certificates of FINALIZE, on results never arrive: it decides alone; null for none.</summary>
    internal int? UnheardDecider { get; init; }

    /// <summary>A rule broken on purpose in every honest member.</summary>
    internal SeededBug SeededBug { get; init; }

    /// <summary>Tables that every honest member's disk forgets in a crash.</summary>
    public Sequence<Table> Forgotten { get; init; } = Sequence<Table>.Empty;
}
