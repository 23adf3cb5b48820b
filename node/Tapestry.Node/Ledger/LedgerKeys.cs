using System.Buffers.Binary;

namespace Tapestry.Node.Ledger;

/// <summary>Keys of the ledger's tables: indices and round numbers, big-endian.</summary>
internal static class LedgerKeys
{
    /// <summary>The key of a number.</summary>
    public static byte[] Number(long number)
    {
        byte[] key = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(key, number);
        return key;
    }
}
