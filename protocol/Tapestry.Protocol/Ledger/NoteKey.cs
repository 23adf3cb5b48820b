using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;

namespace Tapestry.Protocol.Ledger;

/// <summary>A named Ed25519 key that verifies signed notes.</summary>
/// <remarks>C2SP signed-note, sections "Signatures" and "Verifier keys", signature type 0x01.</remarks>
public sealed record NoteKey
{
    /// <summary>The longest name, in bytes of UTF-8; bounds what a peer can send.</summary>
    public const int NameBytesMax = 256;

    private const byte Ed25519Type = 0x01;

    /// <summary>Names a public key.</summary>
    /// <param name="name">1 to 256 bytes of UTF-8, without spaces, control characters and plus signs.</param>
    /// <param name="key">The key.</param>
    /// <exception cref="ArgumentException"><paramref name="name"/> is no such name.</exception>
    public NoteKey(string name, PublicKey key)
    {
        if (!IsName(name))
        {
            throw new ArgumentException(
                $"'{name}' cannot name a key: 1 to {NameBytesMax} bytes without spaces, control characters and plus signs.", nameof(name));
        }

        Name = name;
        Key = key;
        Id = ComputeId(name, key);
    }

    /// <summary>The name; of a log's own key, the log's origin.</summary>
    public string Name { get; }

    /// <summary>The public key.</summary>
    public PublicKey Key { get; }

    /// <summary>The key id: the first four bytes of SHA-256(name, 0x0A, 0x01, key), as a big-endian number.</summary>
    public uint Id { get; }

    /// <summary>Reads a verifier key as <see cref="ToString"/> writes it.</summary>
    /// <returns>False for another signature type, an id that does not belong to the key, or any other text.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out NoteKey? key)
    {
        key = null;
        string[] parts = text?.Split('+', 3) ?? [];
        if (parts.Length != 3 || !IsName(parts[0])
            || !StrictBase64.TryDecode(parts[2], out byte[]? typeAndKey)
            || typeAndKey.Length != 1 + PublicKey.Length
            || typeAndKey[0] != Ed25519Type)
        {
            return false;
        }

        NoteKey candidate = new(parts[0], new PublicKey(typeAndKey.AsSpan(1)));
        key = candidate.ToString() == text ? candidate : null;
        return key is not null;
    }

    /// <summary>The verifier key (vkey) as auditors' tools take it: name, id in hexadecimal and key in base64, joined by plus signs.</summary>
    public override string ToString() =>
        $"{Name}+{Id:x8}+{Convert.ToBase64String([Ed25519Type, .. Key.ToArray()])}";

    internal static bool IsName([NotNullWhen(true)] string? name)
    {
        if (string.IsNullOrEmpty(name) || System.Text.Encoding.UTF8.GetByteCount(name) > NameBytesMax)
        {
            return false;
        }

        foreach (char character in name)
        {
            if (character == '+' || character < ' ' || char.IsWhiteSpace(character) || char.IsSurrogate(character))
            {
                return false;
            }
        }

        return true;
    }

    private static uint ComputeId(string name, PublicKey key)
    {
        byte[] hashed = [.. System.Text.Encoding.UTF8.GetBytes(name), (byte)'\n', Ed25519Type, .. key.ToArray()];
        return BinaryPrimitives.ReadUInt32BigEndian(Digest.Of(hashed).ToArray());
    }
}
