using Tapestry.Crypto;
using Tapestry.Protocol.Encoding;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Agreement;

/// <summary>The members that aggregate and certify a round, in member-id order, with what follows from their number.</summary>
/// <remarks>specs/20-agreement.md, section 1.</remarks>
public sealed class Committee
{
    private const string CommitteeDomain = "tapestry/committee/v1";
    private const string LeadersDomain = "tapestry/leaders/v1";
    private const string OwnersDomain = "tapestry/owners/v1";

    /// <summary>A committee of distinct members, given in ascending order.</summary>
    /// <exception cref="ArgumentException">No members, more than <see cref="Limits.CommitteeMembers"/>, or not strictly ascending.</exception>
    public Committee(Sequence<MemberId> members)
    {
        if (members.Count is 0 or > Limits.CommitteeMembers)
        {
            throw new ArgumentException($"A committee has 1 to {Limits.CommitteeMembers} members, not {members.Count}.", nameof(members));
        }

        if (!Order.IsStrictlyAscending(members, static member => member))
        {
            throw new ArgumentException("A committee's members must be distinct and ascending by id.", nameof(members));
        }

        Members = members;
        Digest = Digest.Of(Encoded.Of(members, static (writer, ids) => WriteMembers(writer, CommitteeDomain, ids)).Span);
    }

    /// <summary>Ascending by id.</summary>
    public Sequence<MemberId> Members { get; }

    /// <summary>n.</summary>
    public int Count => Members.Count;

    /// <summary>f = floor((n - 1) / 3): how many may be faulty.</summary>
    public int Faults => (Count - 1) / 3;

    /// <summary>q = n - f: any two quorums share an honest member, and the honest alone are one.</summary>
    public int Quorum => Count - Faults;

    /// <summary>Names the committee in every signature of its members.</summary>
    public Digest Digest { get; }

    /// <summary>Whether a member has a seat.</summary>
    public bool Contains(MemberId member) => Members.AsSpan().BinarySearch(member) >= 0;

    /// <summary>The leader of a view of an agreement: the members in a seeded order, again and again.</summary>
    /// <param name="instance">The agreement; only its network, round, and agreement enter the seed.</param>
    /// <param name="view">From 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="view"/> is below 1.</exception>
    public MemberId Leader(Instance instance, int view)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(view, 1);
        return Leaders(instance)[(view - 1) % Count];
    }

    /// <summary>The leaders of the first n views of an agreement, and so of all: hashed anew at every call, to be kept by whoever needs it often.</summary>
    public Sequence<MemberId> Leaders(Instance instance) =>
        SeededOrder(LeadersDomain, instance.Network, instance.Round, (byte)instance.Agreement);

    /// <summary>Who owns a slice of a round: the first f + 1, then who steps in, in this order.</summary>
    public Sequence<MemberId> SliceOrder(Digest network, long round, int slice) => SeededOrder(OwnersDomain, network, round, slice);

    /// <summary>
    /// Sorts the members by SHA-256 of (domain, network, round, what, member): uniform, without a generator whose details every
    /// implementation would have to share. Whoever chooses a member key after the network is named could choose its places; keys
    /// are fixed in the genesis.
    /// </summary>
    private Sequence<MemberId> SeededOrder(string domain, Digest network, long round, int what)
    {
        MemberId[] members = [.. Members];
        Digest[] places = new Digest[members.Length];
        for (int index = 0; index < members.Length; index++)
        {
            MemberId member = members[index];
            places[index] = Digest.Of(Encoded.Of((domain, network, round, what, member), static (writer, seed) =>
            {
                writer.WriteArray(5);
                writer.WriteString(seed.domain);
                writer.WriteDigest(seed.network);
                writer.WriteInteger(seed.round);
                writer.WriteInteger(seed.what);
                writer.WriteMember(seed.member);
            }).Span);
        }

        Array.Sort(places, members);
        return Sequence.Create<MemberId>(members);
    }

    private static void WriteMembers(CanonicalWriter writer, string domain, Sequence<MemberId> members)
    {
        writer.WriteArray(2);
        writer.WriteString(domain);
        writer.WriteArray(members.Count);
        foreach (MemberId member in members.AsSpan())
        {
            writer.WriteMember(member);
        }
    }
}
