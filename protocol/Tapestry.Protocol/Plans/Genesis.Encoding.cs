using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Plans;

public sealed partial record Genesis
{
    private const string Domain = "tapestry/genesis/v1";
    private const int FieldCount = 8;

    /// <summary>Names the network: SHA-256 of the encoding. Computed at every call.</summary>
    public Digest Digest => Digest.Of(Encode().Span);

    /// <summary>The origin of the network's ledger, the first line of every checkpoint.</summary>
    /// <remarks>specs/40-ledger.md, section 1.</remarks>
    public string LedgerOrigin => $"tapestry-{NetworkName}/ledger/v1";

    /// <summary>The committee of every round.</summary>
    /// <exception cref="ArgumentException">The genesis breaks <see cref="GenesisRules"/>.</exception>
    public Committee FormCommittee() => new(Committee);

    /// <summary>The encoding that is named by its digest: an array that opens with "tapestry/genesis/v1".</summary>
    /// <exception cref="ArgumentException">A number has no canonical form (not finite, or -0).</exception>
    public ByteString Encode() => Encoded.Of(this, static (writer, genesis) => genesis.WriteTo(writer));

    /// <summary>Reads an encoding of at most <see cref="Limits.GenesisBytes"/>. Form only: <see cref="GenesisRules"/> says whether it makes sense.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Genesis? genesis)
    {
        genesis = null;
        CanonicalReader reader = new(bytes);
        if (bytes.Length > Limits.GenesisBytes
            || !reader.TryReadArray(FieldCount)
            || !reader.TryReadLiteral(Domain)
            || !reader.TryReadString(0, Limits.NameBytes, out string? networkName)
            || !reader.TryReadInteger(long.MinValue, long.MaxValue, out long createdMs)
            || !Plan.TryRead(ref reader, out Plan? plan)
            || !reader.TryReadDigest(out Digest initialBase)
            || !reader.TryReadSequence(0, Limits.Members, TryReadMember, out Sequence<Member>? members)
            || !reader.TryReadSequence(0, Limits.CommitteeMembers, TryReadSeat, out Sequence<MemberId>? committee)
            || !reader.TryReadBoolean(out bool noFaultTolerance)
            || !reader.IsAtEnd)
        {
            return false;
        }

        genesis = new Genesis(networkName, createdMs, plan, initialBase, members, committee, noFaultTolerance);
        return true;
    }

    private void WriteTo(CanonicalWriter writer)
    {
        writer.WriteArray(FieldCount);
        writer.WriteString(Domain);
        writer.WriteString(NetworkName);
        writer.WriteInteger(CreatedMs);
        Plan.WriteTo(writer);
        writer.WriteDigest(InitialBase);
        writer.WriteArray(Members.Count);
        foreach (Member member in Members.AsSpan())
        {
            writer.WriteArray(4);
            writer.WriteMember(member.Id);
            writer.WriteString(member.Name);
            writer.WriteKey(member.PeerKey);
            writer.WriteKey(member.CheckpointKey);
        }

        writer.WriteArray(Committee.Count);
        foreach (MemberId seat in Committee.AsSpan())
        {
            writer.WriteMember(seat);
        }

        writer.WriteBoolean(NoFaultTolerance);
    }

    private static bool TryReadMember(ref CanonicalReader reader, [NotNullWhen(true)] out Member? member)
    {
        member = null;
        if (!reader.TryReadArray(4)
            || !reader.TryReadMember(out MemberId id)
            || !reader.TryReadString(0, Limits.NameBytes, out string? name)
            || !reader.TryReadKey(out PublicKey peerKey)
            || !reader.TryReadKey(out PublicKey checkpointKey))
        {
            return false;
        }

        member = new Member(id, name, peerKey, checkpointKey);
        return true;
    }

    private static bool TryReadSeat(ref CanonicalReader reader, out MemberId seat) => reader.TryReadMember(out seat);
}
