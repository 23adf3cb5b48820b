using System.Diagnostics.CodeAnalysis;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Ledger;

/// <summary>What the ledger says of one member up to some round: a leaf of the member state.</summary>
/// <param name="Member">Whose.</param>
/// <param name="LastAuthorSequence">Author sequence of the last included manifest; 0 for none.</param>
/// <param name="LastLeaf">Index of the last contribution's leaf; 0, the genesis, for none.</param>
/// <param name="Contributions">How many manifests were included.</param>
/// <param name="Weight">The sum of their weights, in tokens.</param>
/// <remarks>specs/40-ledger.md, section 3.</remarks>
public sealed record MemberRow(MemberId Member, long LastAuthorSequence, long LastLeaf, long Contributions, long Weight)
{
    private const string Domain = "tapestry/member/v1";
    private const int FieldCount = 6;

    /// <summary>The row of a member that has contributed nothing.</summary>
    public static MemberRow New(MemberId member) => new(member, 0, 0, 0, 0);

    /// <summary>The bytes that the member-state tree hashes.</summary>
    public ByteString Encode() => Encoded.Of(this, static (writer, row) =>
    {
        writer.WriteArray(FieldCount);
        writer.WriteString(Domain);
        writer.WriteMember(row.Member);
        writer.WriteInteger(row.LastAuthorSequence);
        writer.WriteInteger(row.LastLeaf);
        writer.WriteInteger(row.Contributions);
        writer.WriteInteger(row.Weight);
    });

    /// <summary>Reads an encoding.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out MemberRow? row)
    {
        row = null;
        CanonicalReader reader = new(bytes);
        if (!reader.TryReadArray(FieldCount)
            || !reader.TryReadLiteral(Domain)
            || !reader.TryReadMember(out MemberId member)
            || !reader.TryReadInteger(0, long.MaxValue, out long lastAuthorSequence)
            || !reader.TryReadInteger(0, long.MaxValue, out long lastLeaf)
            || !reader.TryReadInteger(0, long.MaxValue, out long contributions)
            || !reader.TryReadInteger(0, long.MaxValue, out long weight)
            || !reader.IsAtEnd)
        {
            return false;
        }

        row = new MemberRow(member, lastAuthorSequence, lastLeaf, contributions, weight);
        return true;
    }
}
