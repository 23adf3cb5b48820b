using System.Buffers.Binary;
using Tapestry.Crypto;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>Keys of durable records. Numbers are big-endian, so that key order is number order and a round is a prefix.</summary>
/// <remarks>specs/30-rounds.md, sections 8 and 11; slots: specs/20-agreement.md, section 3.</remarks>
internal static class RecordKeys
{
    internal static ByteString Head => ByteString.Empty;

    internal static ByteString Number(long number)
    {
        byte[] key = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(key, number);
        return ByteString.Own(key);
    }

    internal static ByteString Of(Digest digest) => ByteString.Own(digest.ToArray());

    internal static ByteString Of(MemberId member) => ByteString.Own(member.Key.ToArray());

    internal static ByteString Receipts(long round, Digest manifest)
    {
        byte[] key = new byte[sizeof(long) + Digest.Length];
        BinaryPrimitives.WriteInt64BigEndian(key, round);
        manifest.CopyTo(key.AsSpan(sizeof(long)));
        return ByteString.Own(key);
    }

    internal static ByteString Certificate(Instance instance, VoteKind kind, int view)
    {
        byte[] key = new byte[sizeof(long) + 2 + sizeof(int)];
        BinaryPrimitives.WriteInt64BigEndian(key, instance.Round);
        key[8] = (byte)instance.Agreement;
        key[9] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(10), view);
        return ByteString.Own(key);
    }

    /// <summary>The slot of a statement: (round, agreement, kind, view or issue, manifest). specs/20-agreement.md, section 3.</summary>
    internal static ByteString Slot(Instance instance, Statement statement)
    {
        (SlotKind kind, int number, Digest about) = statement switch
        {
            Statement.Manifest => (SlotKind.Manifest, 0, Digest.Zero),
            Statement.Receipt receipt => (SlotKind.Receipt, receipt.Issue, receipt.ManifestDigest),
            Statement.Settlement settlement => (SlotKind.Settlement, settlement.Issue, Digest.Zero),
            Statement.Propose propose => (SlotKind.Propose, propose.View, Digest.Zero),
            Statement.Notarize notarize => (SlotKind.Notarize, notarize.View, Digest.Zero),
            Statement.Nullify nullify => (SlotKind.FinalizeOrNullify, nullify.View, Digest.Zero),
            Statement.Finalize finalize => (SlotKind.FinalizeOrNullify, finalize.View, Digest.Zero),
            _ => throw new ArgumentException($"A statement of type {statement.GetType().Name} has no slot.", nameof(statement)),
        };

        byte[] key = new byte[sizeof(long) + 2 + sizeof(int) + Digest.Length];
        BinaryPrimitives.WriteInt64BigEndian(key, instance.Round);
        key[8] = (byte)instance.Agreement;
        key[9] = (byte)kind;
        BinaryPrimitives.WriteInt32BigEndian(key.AsSpan(10), number);
        about.CopyTo(key.AsSpan(14));
        return ByteString.Own(key);
    }

    /// <summary>The round that a key of Slots, Certificates or Receipts opens with.</summary>
    internal static long RoundOf(ByteString key) => BinaryPrimitives.ReadInt64BigEndian(key.Span);

    private enum SlotKind : byte
    {
        Manifest = 1,
        Receipt = 2,
        Settlement = 3,
        Propose = 4,
        Notarize = 5,
        FinalizeOrNullify = 6,
    }
}
