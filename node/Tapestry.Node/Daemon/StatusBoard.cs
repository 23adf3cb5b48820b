using System.Collections.Concurrent;
using System.Numerics;
using System.Text.Json;
using Tapestry.Libp2p;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Daemon;

/// <summary>What people may see of a running daemon. Written by its parts, read by the HTTP API; nothing depends on it but <see cref="Scores"/>.</summary>
/// <param name="genesis">The network.</param>
/// <param name="self">This member.</param>
/// <param name="traffic">The bytes counted.</param>
/// <param name="clock">The clock.</param>
internal sealed class StatusBoard(Genesis genesis, Member self, Traffic traffic, MonotonicClock clock)
{
    /// <summary>Ended rounds kept for people; the ledger keeps them all.</summary>
    private const int RoundsKept = 1000;

    private readonly ConcurrentDictionary<string, long> _faults = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<MemberId, int> _links = new();
    private readonly ConcurrentQueue<RoundReport> _rounds = new();
    private readonly Dictionary<MemberId, string> _names = genesis.Members.ToDictionary(member => member.Id, member => member.Name);
    private readonly string _peer = PeerId.From(self.PeerKey).ToString();
    private readonly string _network = genesis.Digest.ToString();
    private readonly string _plan = genesis.Plan.Digest.ToString();
    private volatile PartnerStatus? _partner;
    private long _contributed;
    private long _led;
    private volatile Loss? _loss;
    private volatile IReadOnlyList<string> _addresses = [];
    private volatile Func<IReadOnlyList<MemberReport>> _describeMembers = static () => [];

    /// <summary>Where the rules stand; null until they have started.</summary>
    public PartnerStatus? Partner
    {
        get => _partner;
        set => _partner = value;
    }

    /// <summary>Where the daemon says that it is reached.</summary>
    public IReadOnlyList<string> Addresses
    {
        get => _addresses;
        set => _addresses = value;
    }

    /// <summary>What the faults that are counted here cost those who did them.</summary>
    public MemberScores Scores { get; } = new(clock);

    /// <summary>Ended rounds of this life, oldest first.</summary>
    public IReadOnlyList<RoundReport> Rounds => [.. _rounds];

    /// <summary>A member's name, or its short id where the genesis does not name it.</summary>
    public string NameOf(MemberId member) => _names.GetValueOrDefault(member, member.ToString());

    /// <summary>Counts a fault of a member, also against it in <see cref="Scores"/>.</summary>
    /// <returns>How often it was counted, with this time.</returns>
    public long Count(MemberId member, Enum fault)
    {
        if (_names.ContainsKey(member))
        {
            Scores.Add(member, fault);
        }

        return Count($"{NameOf(member)}: {fault}");
    }

    /// <summary>Counts a fault by its text, which is kept for good: no part of it may be a peer's to choose.</summary>
    /// <returns>How often it was counted, with this time.</returns>
    public long Count(string fault) => _faults.AddOrUpdate(fault, 1, (_, count) => count + 1);

    /// <summary>Whether the log is to tell of a time that something was counted: the 1st, 2nd, 4th, 8th ..., so that nobody can flood it.</summary>
    public static bool IsToldOf(long times) => BitOperations.IsPow2(times);

    /// <summary>Says who knows where the other members are.</summary>
    public void DescribesMembersBy(Func<IReadOnlyList<MemberReport>> describe) => _describeMembers = describe;

    /// <summary>A link to a member opened.</summary>
    public void LinkOpened(MemberId member) => _links.AddOrUpdate(member, 1, (_, count) => count + 1);

    /// <summary>A link to a member closed.</summary>
    public void LinkClosed(MemberId member) => _links.AddOrUpdate(member, 0, (_, count) => count - 1);

    /// <summary>Local training ended.</summary>
    public void Trained(double lossBefore, double lossAfter) => _loss = new Loss(lossBefore, lossAfter);

    /// <summary>This member's manifest of a round was handed to the network.</summary>
    public void Contributed(long round) => Volatile.Write(ref _contributed, round);

    /// <summary>A proposal of this member was handed to the network.</summary>
    public void Led(long round) => Volatile.Write(ref _led, round);

    /// <summary>A round ended.</summary>
    public void Ended(RoundSummary round)
    {
        _rounds.Enqueue(new RoundReport(
            round.Round, round.IsVoid, round.Base.ToString(), [.. round.Included.Select(NameOf)], round.Views, round.TreeSize,
            round.TreeRoot.ToString(), round.ElapsedMs, traffic.SentBytes, traffic.ReceivedBytes));
        if (_rounds.Count > RoundsKept)
        {
            _rounds.TryDequeue(out _);
        }
    }

    /// <summary>The state at this moment. What was received for a round that it tells of is in its bytes: those are read last.</summary>
    public StatusReport Report()
    {
        PartnerStatus? partner = _partner;
        long contributed = Volatile.Read(ref _contributed);
        long led = Volatile.Read(ref _led);
        Loss? loss = _loss;
        return new StatusReport(
            self.Id.Key.ToString(), self.Name, _peer, _addresses, _network, genesis.NetworkName, _plan,
            partner is null ? "starting" : JsonNamingPolicy.CamelCase.ConvertName(partner.Phase.ToString()), EndedRounds(partner),
            genesis.Plan.Rounds, (partner?.Base ?? genesis.InitialBase).ToString(), partner?.TreeSize ?? 0,
            partner?.TreeRoot.ToString() ?? "", [.. genesis.Committee.Select(NameOf)],
            [.. _links.Where(link => link.Value > 0).Select(link => NameOf(link.Key)).Order(StringComparer.Ordinal)],
            _describeMembers(), traffic.SentBytes, traffic.ReceivedBytes, traffic.ReceivedBlobBytes, loss?.Before, loss?.After,
            contributed, led,
            new SortedDictionary<string, long>(_faults, StringComparer.Ordinal), clock.ElapsedMs);
    }

    /// <summary>A base that is certified but not held yet does not count: the round has not ended here.</summary>
    private static long EndedRounds(PartnerStatus? partner) =>
        partner is null ? 0 : Math.Max(0, partner.HoldsBase ? partner.Round - 1 : partner.Round - 2);

    private sealed record Loss(double Before, double After);
}
