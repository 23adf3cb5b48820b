using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Encoding;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Agreement;

public abstract partial record DecidedValue
{
    private const string Domain = "tapestry/value/v1";

    // Domain and kind, then the fields in the order of the record.
    private const int SetKind = 1;
    private const int SetFieldCount = 10;
    private const int ResultKind = 2;
    private const int ResultFieldCount = 8;
    private const int VoidKind = 3;
    private const int VoidFieldCount = 5;
    private const int InclusionFieldCount = 5;
    private const int DecisionFieldCount = 3;

    /// <summary>Names the value: SHA-256 of its encoding. Computed at every call.</summary>
    public Digest Digest => Digest.Of(Encode().Span);

    /// <summary>The agreement that decides it.</summary>
    public Instance Place => this switch
    {
        Set set => set.Instance,
        Result result => result.Instance,
        Void empty => empty.Instance,
        _ => throw new InvalidOperationException($"A value of type {GetType().Name} has no place."),
    };

    /// <summary>The encoding that is named by its digest: an array that opens with "tapestry/value/v1" and the kind.</summary>
    /// <exception cref="ArgumentException">A number has no canonical form (not finite, or -0).</exception>
    public ByteString Encode() => Encoded.Of(this, static (writer, value) => value.WriteTo(writer));

    /// <summary>Reads an encoding of at most <see cref="Limits.MessageBytes"/>: its form and order, not its truth.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out DecidedValue? value)
    {
        value = null;
        if (bytes.Length > Limits.MessageBytes)
        {
            return false;
        }

        CanonicalReader reader = new(bytes);
        if (!reader.TryReadArray(VoidFieldCount, SetFieldCount, out int fieldCount)
            || !reader.TryReadLiteral(Domain)
            || !reader.TryReadInteger(SetKind, VoidKind, out int kind)
            || !Instance.TryRead(ref reader, out Instance? instance))
        {
            return false;
        }

        value = (kind, fieldCount) switch
        {
            (SetKind, SetFieldCount) => ReadSet(ref reader, instance),
            (ResultKind, ResultFieldCount) => ReadResult(ref reader, instance),
            (VoidKind, VoidFieldCount) => ReadVoid(ref reader, instance),
            _ => null,
        };
        value = reader.IsAtEnd ? value : null;
        return value is not null;
    }

    private void WriteTo(CanonicalWriter writer)
    {
        switch (this)
        {
            case Set set:
                WriteHead(writer, SetFieldCount, SetKind, set.Instance);
                WriteSet(writer, set);
                break;
            case Result result:
                WriteHead(writer, ResultFieldCount, ResultKind, result.Instance);
                writer.WriteDigest(result.SetDigest);
                writer.WriteDigest(result.AggregateRoot);
                writer.WriteDigest(result.NewBase);
                writer.WriteInteger(result.TreeSize);
                writer.WriteDigest(result.TreeRoot);
                break;
            case Void empty:
                WriteHead(writer, VoidFieldCount, VoidKind, empty.Instance);
                writer.WriteInteger(empty.CertifiedTimeMs);
                writer.WriteDigest(empty.SetDigest);
                break;
            default:
                throw new InvalidOperationException($"A value of type {GetType().Name} has no encoding.");
        }
    }

    private static void WriteHead(CanonicalWriter writer, int fieldCount, int kind, Instance instance)
    {
        writer.WriteArray(fieldCount);
        writer.WriteString(Domain);
        writer.WriteInteger(kind);
        instance.WriteTo(writer);
    }

    private static void WriteSet(CanonicalWriter writer, Set set)
    {
        writer.WriteInteger(set.TreeSize);
        writer.WriteDigest(set.TreeRoot);
        writer.WriteDigest(set.Base);
        writer.WriteInteger(set.CertifiedTimeMs);
        writer.WriteArray(set.Included.Count);
        foreach (Inclusion inclusion in set.Included.AsSpan())
        {
            writer.WriteArray(InclusionFieldCount);
            WriteInclusionFields(writer, inclusion);
        }

        writer.WriteDigests(set.OtherEntries);
        writer.WriteArray(set.RecordedCertificates.Count);
        foreach (RecordedDecision decision in set.RecordedCertificates.AsSpan())
        {
            writer.WriteArray(DecisionFieldCount);
            WriteDecisionFields(writer, decision);
        }
    }

    internal static void WriteInclusionFields(CanonicalWriter writer, Inclusion inclusion)
    {
        writer.WriteMember(inclusion.Member);
        writer.WriteDigest(inclusion.Manifest);
        writer.WriteDouble(inclusion.Norm);
        writer.WriteDouble(inclusion.Scale);
        writer.WriteInteger(inclusion.Weight);
    }

    internal static void WriteDecisionFields(CanonicalWriter writer, RecordedDecision decision)
    {
        writer.WriteInteger(decision.Round);
        writer.WriteInteger((byte)decision.Agreement);
        writer.WriteDigest(decision.Value);
    }

    private static Set? ReadSet(ref CanonicalReader reader, Instance instance) =>
        instance.Agreement == AgreementKind.Set
        && !instance.Committee.IsZero
        && reader.TryReadInteger(0, long.MaxValue, out long treeSize)
        && reader.TryReadDigest(out Digest treeRoot)
        && reader.TryReadDigest(out Digest @base)
        && reader.TryReadInteger(0, long.MaxValue, out long certifiedTimeMs)
        && reader.TryReadSequence(1, Limits.Members, TryReadInclusion, out Sequence<Inclusion>? included)
        && Order.IsStrictlyAscending(included, static inclusion => inclusion.Member)
        && reader.TryReadDigests(0, Limits.OtherEntries, out Sequence<Digest>? otherEntries)
        && reader.TryReadSequence(0, Limits.RecordedDecisions, TryReadDecision, out Sequence<RecordedDecision>? recorded)
        && Order.IsStrictlyAscending(recorded, static decision => (decision.Round, decision.Agreement))
            ? new Set(instance, treeSize, treeRoot, @base, certifiedTimeMs, included, otherEntries, recorded)
            : null;

    private static Result? ReadResult(ref CanonicalReader reader, Instance instance) =>
        instance.Agreement == AgreementKind.Result
        && !instance.Committee.IsZero
        && reader.TryReadDigest(out Digest set)
        && reader.TryReadDigest(out Digest aggregateRoot)
        && reader.TryReadDigest(out Digest newBase)
        && reader.TryReadInteger(1, long.MaxValue, out long treeSize)
        && reader.TryReadDigest(out Digest treeRoot)
            ? new Result(instance, set, aggregateRoot, newBase, treeSize, treeRoot)
            : null;

    // Only the result agreement has a decided set to name.
    private static Void? ReadVoid(ref CanonicalReader reader, Instance instance) =>
        instance.Agreement != AgreementKind.None
        && !instance.Committee.IsZero
        && reader.TryReadInteger(0, long.MaxValue, out long certifiedTimeMs)
        && reader.TryReadDigest(out Digest set)
        && set.IsZero == (instance.Agreement == AgreementKind.Set)
            ? new Void(instance, certifiedTimeMs, set)
            : null;

    private static bool TryReadInclusion(ref CanonicalReader reader, out Inclusion inclusion)
    {
        inclusion = default;
        return reader.TryReadArray(InclusionFieldCount) && TryReadInclusionFields(ref reader, out inclusion);
    }

    internal static bool TryReadInclusionFields(ref CanonicalReader reader, out Inclusion inclusion)
    {
        inclusion = default;
        if (!reader.TryReadMember(out MemberId member)
            || !reader.TryReadDigest(out Digest manifest)
            || !reader.TryReadDouble(out double norm)
            || norm < 0
            || !reader.TryReadDouble(out double scale)
            || scale is < 0 or > 1
            || !reader.TryReadInteger(1, long.MaxValue, out long weight))
        {
            return false;
        }

        inclusion = new Inclusion(member, manifest, norm, scale, weight);
        return true;
    }

    private static bool TryReadDecision(ref CanonicalReader reader, out RecordedDecision decision)
    {
        decision = default;
        return reader.TryReadArray(DecisionFieldCount) && TryReadDecisionFields(ref reader, out decision);
    }

    internal static bool TryReadDecisionFields(ref CanonicalReader reader, out RecordedDecision decision)
    {
        decision = default;
        if (!reader.TryReadInteger(1, long.MaxValue, out long round)
            || !reader.TryReadInteger((int)AgreementKind.Set, (int)AgreementKind.Result, out int agreement)
            || !reader.TryReadDigest(out Digest value)
            || value.IsZero)
        {
            return false;
        }

        decision = new RecordedDecision(round, (AgreementKind)agreement, value);
        return true;
    }
}
