using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Plans;

/// <summary>What makes a genesis one that a network can start from.</summary>
/// <remarks>specs/30-rounds.md, section 1.</remarks>
public static class GenesisRules
{
    // The smallest committee that tolerates a faulty member: f = floor((4 - 1) / 3) = 1.
    private const int SmallestTolerantCommittee = 4;

    /// <summary>Everything that is wrong with a genesis and its plan; empty for a good one.</summary>
    public static Sequence<PlanProblem> Validate(Genesis genesis)
    {
        ProblemList problems = new();
        problems.Require(
            genesis.NetworkName.Length is >= 1 and <= Limits.NameCharacters && genesis.NetworkName.All(IsNetworkCharacter),
            "networkName", $"\"{genesis.NetworkName}\"", $"1 to {Limits.NameCharacters} of a-z, 0-9 and hyphen",
            "It becomes part of the ledger's origin.");
        problems.Range("createdMs", genesis.CreatedMs, 0, long.MaxValue, "milliseconds since 1970", "Take the time of creation.");
        problems.AddUnder("plan", PlanRules.Validate(genesis.Plan));
        problems.Require(
            !genesis.InitialBase.IsZero, "initialBase", "zero", "the digest of B_0", "Generate B_0 and name it.");
        CheckMembers(problems, genesis);
        CheckCommittee(problems, genesis);
        return problems.ToSequence();
    }

    private static void CheckMembers(ProblemList problems, Genesis genesis)
    {
        problems.Range("members", genesis.Members.Count, 1, Limits.Members, "members", "List every member with its keys.");
        problems.Require(
            Order.IsStrictlyAscending(genesis.Members, static member => member.Id), "members", "out of order or repeated",
            "distinct and ascending by id", "Sort the members by the bytes of their keys; each appears once.");
        for (int index = 0; index < genesis.Members.Count; index++)
        {
            problems.Name($"members[{index}].name", genesis.Members[index].Name, "Give the member a short name.");
        }

        // A key with two uses could be made to sign one thing as the other.
        Crypto.PublicKey[] keys = [.. genesis.Members.SelectMany(static member => (Crypto.PublicKey[])[member.Id.Key, member.PeerKey, member.CheckpointKey]).Order()];
        for (int index = 1; index < keys.Length; index++)
        {
            problems.Require(
                keys[index - 1] != keys[index], "members", $"key {keys[index].ToShortString()} twice", "keys that are used once",
                "Signing, peer and checkpoint keys of all members must differ.");
        }

        problems.Require(
            genesis.Plan.Influence.MinimumMembers <= genesis.Members.Count, "plan.influence.minimumMembers",
            ProblemList.Text(genesis.Plan.Influence.MinimumMembers), $"at most the {genesis.Members.Count} members",
            "Or every round is VOID.");
    }

    private static void CheckCommittee(ProblemList problems, Genesis genesis)
    {
        problems.Range(
            "committee", genesis.Committee.Count, 1, Math.Min(Limits.CommitteeMembers, Math.Max(1, genesis.Members.Count)), "members",
            "4, 7, 10 or 13 tolerate 1, 2, 3 or 4 faulty ones.");
        problems.Require(
            Order.IsStrictlyAscending(genesis.Committee, static seat => seat), "committee", "out of order or repeated",
            "distinct and ascending by id", "Sort the committee by the bytes of the keys; each appears once.");
        MemberId[] members = [.. genesis.Members.Select(static member => member.Id).Order()];
        foreach (MemberId seat in genesis.Committee)
        {
            problems.Require(
                Array.BinarySearch(members, seat) >= 0, "committee", seat.ToString(), "ids of members", "Add it to the members or take it off the committee.");
        }

        bool toleratesFaults = genesis.Committee.Count >= SmallestTolerantCommittee;
        problems.Require(
            toleratesFaults || genesis.NoFaultTolerance, "committee", $"{genesis.Committee.Count} members",
            $"at least {SmallestTolerantCommittee} members", "A smaller committee tolerates no faulty member: ask for it with --no-fault-tolerance.");
        problems.Require(
            !toleratesFaults || !genesis.NoFaultTolerance, "noFaultTolerance", "true", $"false for a committee of {SmallestTolerantCommittee} or more",
            "Leave --no-fault-tolerance away.");
    }

    private static bool IsNetworkCharacter(char value) => value is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-';
}
