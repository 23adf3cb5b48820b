using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol;

namespace Tapestry.Node.Network;

/// <summary>What a member knows already of where the others are, when it asks for more: the newest sequence of each.</summary>
/// <remarks>specs/50-network.md, section 11.5. Pairs of a peer key and a sequence, 8 bytes big-endian, in ascending order of the keys.</remarks>
internal sealed class PeerQuestion
{
    /// <summary>The most bytes of a question: one pair for each member that a network may have.</summary>
    public const int BytesMax = Limits.Members * PairBytes;

    private const int PairBytes = PublicKey.Length + sizeof(ulong);

    private readonly Dictionary<PublicKey, ulong> _known;

    /// <summary>A question.</summary>
    /// <param name="known">The sequence of the newest record that is held, by peer key; at most one for each member.</param>
    public PeerQuestion(IEnumerable<KeyValuePair<PublicKey, ulong>> known) => _known = new(known);

    /// <summary>Whether a record of this sequence would be news.</summary>
    public bool Wants(PublicKey peer, ulong sequence) => !_known.TryGetValue(peer, out ulong known) || known < sequence;

    /// <summary>Reads a question.</summary>
    /// <returns>False unless it is whole pairs, not too many, each key greater than the one before.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out PeerQuestion? question)
    {
        question = null;
        if (bytes.Length > BytesMax || bytes.Length % PairBytes != 0)
        {
            return false;
        }

        Dictionary<PublicKey, ulong> known = [];
        for (int start = 0; start < bytes.Length; start += PairBytes)
        {
            ReadOnlySpan<byte> key = bytes.Slice(start, PublicKey.Length);
            if (start > 0 && key.SequenceCompareTo(bytes.Slice(start - PairBytes, PublicKey.Length)) <= 0)
            {
                return false;
            }

            known.Add(new PublicKey(key), BinaryPrimitives.ReadUInt64BigEndian(bytes[(start + PublicKey.Length)..]));
        }

        question = new PeerQuestion(known);
        return true;
    }

    /// <summary>The bytes on the wire.</summary>
    public byte[] ToArray()
    {
        byte[] bytes = new byte[_known.Count * PairBytes];
        int start = 0;
        foreach ((PublicKey key, ulong sequence) in _known.OrderBy(pair => pair.Key))
        {
            key.CopyTo(bytes.AsSpan(start));
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(start + PublicKey.Length), sequence);
            start += PairBytes;
        }

        return bytes;
    }
}
