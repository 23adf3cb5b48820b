using System.Diagnostics.CodeAnalysis;
using Tapestry.Protocol.Encoding;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>A row of table Receipts: when a manifest first was fully receipted, and by which statements.</summary>
internal static class ReceiptsEncoding
{
    internal static ByteString Encode(HeldUpdate update) => Encoded.Of(update, static (writer, held) =>
    {
        SignedStatement[] receipts = [.. held.Receipts.Statements];
        writer.WriteArray(2);
        writer.WriteInteger(held.ReceiptedBeforeDeadlineMs!.Value);
        writer.WriteArray(receipts.Length);
        foreach (SignedStatement receipt in receipts)
        {
            writer.WriteBinary(receipt.Encode().Span);
        }
    });

    internal static bool TryRead(
        ReadOnlySpan<byte> bytes, out long beforeDeadlineMs, [NotNullWhen(true)] out Sequence<SignedStatement>? receipts)
    {
        receipts = null;
        beforeDeadlineMs = 0;
        CanonicalReader reader = new(bytes);
        return reader.TryReadArray(2)
            && reader.TryReadInteger(long.MinValue, long.MaxValue, out beforeDeadlineMs)
            && reader.TryReadSequence(1, Limits.CommitteeMembers, ReadReceipt, out receipts)
            && reader.IsAtEnd;
    }

    private static bool ReadReceipt(ref CanonicalReader reader, [NotNullWhen(true)] out SignedStatement? receipt)
    {
        receipt = null;
        return reader.TryReadBinary(1, Limits.MessageBytes, out ReadOnlySpan<byte> bytes) && SignedStatement.TryRead(bytes, out receipt);
    }
}
