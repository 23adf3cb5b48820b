using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Encoding;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;

namespace Tapestry.Protocol.Partners;

/// <summary>Where a member stands between two rounds: the one row of table Head.</summary>
/// <param name="Round">The round that it works on; every lower one is recorded.</param>
/// <param name="Base">The certified base that the round starts from.</param>
/// <param name="HoldsBase">Whether that base is held; not so while catching up.</param>
/// <param name="Residual">What encoding has lost so far; zero for none.</param>
/// <param name="Ledger">The ledger's frontier, encoded.</param>
/// <param name="CertifiedTimeMs">The last certified time, in milliseconds since the Unix epoch.</param>
/// <param name="LastSet">Members of the last certified set, ascending; before there is one, all members.</param>
/// <param name="Unrecorded">Decisions that are not leaves yet, oldest first.</param>
/// <param name="StartedWallMs">When the round started here, so that a restart keeps its deadline.</param>
internal sealed record Head(
    long Round,
    Digest Base,
    bool HoldsBase,
    Digest Residual,
    ByteString Ledger,
    long CertifiedTimeMs,
    Sequence<MemberId> LastSet,
    Sequence<RecordedDecision> Unrecorded,
    long StartedWallMs)
{
    private const int FieldCount = 9;

    // Each round of a run of VOIDs, however long the plan allows it to be, leaves at most two decisions.
    private const int UnrecordedMaximum = 2 * PlanRules.MaximumRounds;

    internal ByteString Encode() => Encoded.Of(this, static (writer, head) =>
    {
        writer.WriteArray(FieldCount);
        writer.WriteInteger(head.Round);
        writer.WriteDigest(head.Base);
        writer.WriteBoolean(head.HoldsBase);
        writer.WriteDigest(head.Residual);
        writer.WriteBinary(head.Ledger.Span);
        writer.WriteInteger(head.CertifiedTimeMs);
        writer.WriteArray(head.LastSet.Count);
        foreach (MemberId member in head.LastSet)
        {
            writer.WriteMember(member);
        }

        writer.WriteArray(head.Unrecorded.Count);
        foreach (RecordedDecision decision in head.Unrecorded)
        {
            writer.WriteArray(3);
            writer.WriteInteger(decision.Round);
            writer.WriteInteger((byte)decision.Agreement);
            writer.WriteDigest(decision.Value);
        }

        writer.WriteInteger(head.StartedWallMs);
    });

    internal static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Head? head)
    {
        head = null;
        CanonicalReader reader = new(bytes);
        if (!reader.TryReadArray(FieldCount)
            || !reader.TryReadInteger(1, long.MaxValue, out long round)
            || !reader.TryReadDigest(out Digest @base)
            || !reader.TryReadBoolean(out bool holdsBase)
            || !reader.TryReadDigest(out Digest residual)
            || !reader.TryReadBinary(0, MerkleFrontier.EncodedLengthMax, out ReadOnlySpan<byte> ledger)
            || !reader.TryReadInteger(0, long.MaxValue, out long certifiedTimeMs)
            || !reader.TryReadSequence(0, Limits.Members, ReadMember, out Sequence<MemberId>? lastSet)
            || !reader.TryReadSequence(0, UnrecordedMaximum, ReadDecision, out Sequence<RecordedDecision>? unrecorded)
            || !reader.TryReadInteger(long.MinValue, long.MaxValue, out long startedWallMs)
            || !reader.IsAtEnd)
        {
            return false;
        }

        head = new Head(
            round, @base, holdsBase, residual, ByteString.CopyFrom(ledger), certifiedTimeMs, lastSet, unrecorded, startedWallMs);
        return true;
    }

    private static bool ReadMember(ref CanonicalReader reader, out MemberId member) => reader.TryReadMember(out member);

    private static bool ReadDecision(ref CanonicalReader reader, out RecordedDecision decision)
    {
        decision = default;
        if (!reader.TryReadArray(3)
            || !reader.TryReadInteger(1, long.MaxValue, out long round)
            || !reader.TryReadInteger((int)AgreementKind.Set, (int)AgreementKind.Result, out int agreement)
            || !reader.TryReadDigest(out Digest value))
        {
            return false;
        }

        decision = new RecordedDecision(round, (AgreementKind)agreement, value);
        return true;
    }
}
