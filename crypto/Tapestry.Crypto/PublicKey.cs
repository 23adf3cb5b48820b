using System.Diagnostics.CodeAnalysis;

namespace Tapestry.Crypto;

/// <summary>An Ed25519 public key: 32 bytes, ordered as a byte string, printed as lower-case hexadecimal.</summary>
/// <remarks>RFC 8032, section 5.1.5. Any 32 bytes can be held; whether they are a usable point shows in <see cref="Ed25519.Verify"/>.</remarks>
public readonly struct PublicKey : IEquatable<PublicKey>, IComparable<PublicKey>
{
    /// <summary>The length of a public key, in bytes.</summary>
    public const int Length = 32;

    // The same 32 ordered bytes as a digest; borrowed so that comparison and text exist once.
    private readonly Digest _bytes;

    /// <summary>Wraps 32 bytes.</summary>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 32 bytes long.</exception>
    public PublicKey(ReadOnlySpan<byte> bytes) => _bytes = new Digest(bytes);

    /// <summary>Parses 64 hexadecimal digits of either case.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PublicKey key)
    {
        bool parsed = Digest.TryParse(text, out Digest bytes);
        key = parsed ? new PublicKey(bytes.ToArray()) : default;
        return parsed;
    }

    /// <summary>Writes the 32 bytes.</summary>
    public void CopyTo(Span<byte> destination) => _bytes.CopyTo(destination);

    /// <summary>The 32 bytes, in a new array.</summary>
    public byte[] ToArray() => _bytes.ToArray();

    /// <inheritdoc/>
    public bool Equals(PublicKey other) => _bytes.Equals(other._bytes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is PublicKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _bytes.GetHashCode();

    /// <summary>Compares as byte strings.</summary>
    public int CompareTo(PublicKey other) => _bytes.CompareTo(other._bytes);

    /// <summary>64 lower-case hexadecimal digits.</summary>
    public override string ToString() => _bytes.ToString();

    /// <summary>The first 8 hexadecimal digits, for people.</summary>
    public string ToShortString() => _bytes.ToShortString();

    /// <summary>Byte equality.</summary>
    public static bool operator ==(PublicKey left, PublicKey right) => left.Equals(right);

    /// <summary>Byte inequality.</summary>
    public static bool operator !=(PublicKey left, PublicKey right) => !left.Equals(right);
}
