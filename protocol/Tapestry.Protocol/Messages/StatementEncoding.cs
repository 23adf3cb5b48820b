using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Messages;

/// <summary>The bodies of signed messages as bytes: one array a case, fields in the order of the record.</summary>
/// <remarks>specs/10-wire.md, section 3. Reading checks what needs no context; the plan's rules come later.</remarks>
internal static class StatementEncoding
{
    internal static MessageType TypeOf(Statement statement) => statement switch
    {
        Statement.Manifest => MessageType.Manifest,
        Statement.Receipt => MessageType.Receipt,
        Statement.Settlement => MessageType.Settlement,
        Statement.Propose => MessageType.Propose,
        Statement.Notarize => MessageType.Notarize,
        Statement.Nullify => MessageType.Nullify,
        Statement.Finalize => MessageType.Finalize,
        _ => throw new ArgumentException($"A statement of type {statement.GetType().Name} has no encoding.", nameof(statement)),
    };

    internal static void Write(CanonicalWriter writer, Statement statement)
    {
        switch (statement)
        {
            case Statement.Manifest manifest:
                WriteManifest(writer, manifest);
                break;
            case Statement.Receipt receipt:
                WriteReceipt(writer, receipt);
                break;
            case Statement.Settlement settlement:
                WriteSettlement(writer, settlement);
                break;
            case Statement.Propose propose:
                writer.WriteArray(3);
                writer.WriteInteger(propose.View);
                writer.WriteDigest(propose.Value);
                writer.WriteInteger(propose.ParentView);
                break;
            case Statement.Notarize notarize:
                WriteVote(writer, notarize.View, notarize.Value);
                break;
            case Statement.Nullify nullify:
                writer.WriteArray(1);
                writer.WriteInteger(nullify.View);
                break;
            case Statement.Finalize finalize:
                WriteVote(writer, finalize.View, finalize.Value);
                break;
            default:
                throw new ArgumentException($"A statement of type {statement.GetType().Name} has no encoding.", nameof(statement));
        }
    }

    internal static bool TryRead(ref CanonicalReader reader, MessageType type, [NotNullWhen(true)] out Statement? statement) => type switch
    {
        MessageType.Manifest => TryReadManifest(ref reader, out statement),
        MessageType.Receipt => TryReadReceipt(ref reader, out statement),
        MessageType.Settlement => TryReadSettlement(ref reader, out statement),
        MessageType.Propose => TryReadPropose(ref reader, out statement),
        MessageType.Notarize or MessageType.Finalize => TryReadVote(ref reader, type, out statement),
        MessageType.Nullify => TryReadNullify(ref reader, out statement),
        _ => None(out statement),
    };

    private static void WriteManifest(CanonicalWriter writer, Statement.Manifest manifest)
    {
        writer.WriteArray(8);
        writer.WriteDigest(manifest.Base);
        writer.WriteInteger((byte)manifest.Codec);
        writer.WriteInteger(manifest.Tokens);
        writer.WriteDouble(manifest.LossBefore);
        writer.WriteDouble(manifest.LossAfter);
        writer.WriteInteger(manifest.AuthorSequence);
        writer.WriteDigests(manifest.CatalogueEntries);
        writer.WriteDigests(manifest.ShardRoots);
    }

    private static bool TryReadManifest(ref CanonicalReader reader, [NotNullWhen(true)] out Statement? statement)
    {
        statement = null;
        if (!reader.TryReadArray(8)
            || !reader.TryReadDigest(out Digest @base)
            || !reader.TryReadInteger((int)Codec.Fp32, (int)Codec.MxInt8, out int codec)
            || !reader.TryReadInteger(1, long.MaxValue, out long tokens)
            || !reader.TryReadDouble(out double lossBefore)
            || !reader.TryReadDouble(out double lossAfter)
            || !reader.TryReadInteger(1, long.MaxValue, out long authorSequence)
            || !reader.TryReadDigests(0, Limits.CatalogueEntries, out Sequence<Digest>? catalogueEntries)
            || !Order.IsStrictlyAscending(catalogueEntries, static entry => entry)
            || !reader.TryReadDigests(1, Limits.Slices, out Sequence<Digest>? shardRoots))
        {
            return false;
        }

        statement = new Statement.Manifest(
            @base, (Codec)codec, tokens, lossBefore, lossAfter, authorSequence, catalogueEntries, shardRoots);
        return true;
    }

    private static void WriteReceipt(CanonicalWriter writer, Statement.Receipt receipt)
    {
        writer.WriteArray(3);
        writer.WriteDigest(receipt.ManifestDigest);
        writer.WriteInteger(receipt.Issue);
        writer.WriteArray(receipt.Sums.Count);
        foreach (SliceSum sum in receipt.Sums.AsSpan())
        {
            writer.WriteArray(2);
            writer.WriteInteger(sum.Slice);
            writer.WriteDouble(sum.SumOfSquares);
        }
    }

    private static bool TryReadReceipt(ref CanonicalReader reader, [NotNullWhen(true)] out Statement? statement)
    {
        statement = null;
        if (!reader.TryReadArray(3)
            || !reader.TryReadDigest(out Digest manifest)
            || !reader.TryReadInteger(0, Limits.Issues - 1, out int issue)
            || !reader.TryReadSequence(1, Limits.Slices, TryReadSum, out Sequence<SliceSum>? sums)
            || !Order.IsStrictlyAscending(sums, static sum => sum.Slice))
        {
            return false;
        }

        statement = new Statement.Receipt(manifest, issue, sums);
        return true;
    }

    private static bool TryReadSum(ref CanonicalReader reader, out SliceSum sum)
    {
        sum = default;
        if (!reader.TryReadArray(2)
            || !reader.TryReadInteger(0, Limits.Slices - 1, out int slice)
            || !reader.TryReadDouble(out double sumOfSquares)
            || sumOfSquares < 0)
        {
            return false;
        }

        sum = new SliceSum(slice, sumOfSquares);
        return true;
    }

    private static void WriteSettlement(CanonicalWriter writer, Statement.Settlement settlement)
    {
        writer.WriteArray(3);
        writer.WriteDigest(settlement.SetDigest);
        writer.WriteInteger(settlement.Issue);
        writer.WriteArray(settlement.Slices.Count);
        foreach (SliceOutcome outcome in settlement.Slices.AsSpan())
        {
            writer.WriteArray(3);
            writer.WriteInteger(outcome.Slice);
            writer.WriteDigest(outcome.AggregateRoot);
            writer.WriteDigest(outcome.BaseRoot);
        }
    }

    private static bool TryReadSettlement(ref CanonicalReader reader, [NotNullWhen(true)] out Statement? statement)
    {
        statement = null;
        if (!reader.TryReadArray(3)
            || !reader.TryReadDigest(out Digest set)
            || !reader.TryReadInteger(0, Limits.Issues - 1, out int issue)
            || !reader.TryReadSequence(1, Limits.Slices, TryReadOutcome, out Sequence<SliceOutcome>? slices)
            || !Order.IsStrictlyAscending(slices, static outcome => outcome.Slice))
        {
            return false;
        }

        statement = new Statement.Settlement(set, issue, slices);
        return true;
    }

    private static bool TryReadOutcome(ref CanonicalReader reader, out SliceOutcome outcome)
    {
        outcome = default;
        if (!reader.TryReadArray(3)
            || !reader.TryReadInteger(0, Limits.Slices - 1, out int slice)
            || !reader.TryReadDigest(out Digest aggregateRoot)
            || !reader.TryReadDigest(out Digest baseRoot)
            || aggregateRoot.IsZero != baseRoot.IsZero)
        {
            return false;
        }

        outcome = new SliceOutcome(slice, aggregateRoot, baseRoot);
        return true;
    }

    private static bool TryReadPropose(ref CanonicalReader reader, [NotNullWhen(true)] out Statement? statement)
    {
        statement = null;
        if (!reader.TryReadArray(3)
            || !reader.TryReadInteger(1, int.MaxValue, out int view)
            || !reader.TryReadDigest(out Digest value)
            || value.IsZero
            || !reader.TryReadInteger(0, view - 1, out int parentView))
        {
            return false;
        }

        statement = new Statement.Propose(view, value, parentView);
        return true;
    }

    private static void WriteVote(CanonicalWriter writer, int view, Digest value)
    {
        writer.WriteArray(2);
        writer.WriteInteger(view);
        writer.WriteDigest(value);
    }

    private static bool TryReadVote(ref CanonicalReader reader, MessageType type, [NotNullWhen(true)] out Statement? statement)
    {
        statement = null;
        if (!reader.TryReadArray(2)
            || !reader.TryReadInteger(1, int.MaxValue, out int view)
            || !reader.TryReadDigest(out Digest value)
            || value.IsZero)
        {
            return false;
        }

        statement = type == MessageType.Notarize ? new Statement.Notarize(view, value) : new Statement.Finalize(view, value);
        return true;
    }

    private static bool TryReadNullify(ref CanonicalReader reader, [NotNullWhen(true)] out Statement? statement)
    {
        statement = null;
        if (!reader.TryReadArray(1) || !reader.TryReadInteger(1, int.MaxValue, out int view))
        {
            return false;
        }

        statement = new Statement.Nullify(view);
        return true;
    }

    private static bool None([NotNullWhen(true)] out Statement? statement)
    {
        statement = null;
        return false;
    }
}
