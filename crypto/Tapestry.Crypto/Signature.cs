namespace Tapestry.Crypto;

/// <summary>An Ed25519 signature: 64 bytes, R then S.</summary>
/// <remarks>RFC 8032, section 5.1.6. Any 64 bytes can be held; only <see cref="Ed25519.Verify"/> gives them meaning.</remarks>
public readonly struct Signature : IEquatable<Signature>
{
    /// <summary>The length of a signature, in bytes.</summary>
    public const int Length = 64;

    private readonly Digest _r;
    private readonly Digest _s;

    /// <summary>Wraps 64 bytes.</summary>
    /// <exception cref="ArgumentException"><paramref name="bytes"/> is not 64 bytes long.</exception>
    public Signature(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Length)
        {
            throw new ArgumentException($"A signature has {Length} bytes, not {bytes.Length}.", nameof(bytes));
        }

        _r = new Digest(bytes[..Digest.Length]);
        _s = new Digest(bytes[Digest.Length..]);
    }

    /// <summary>Writes the 64 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        _r.CopyTo(destination);
        _s.CopyTo(destination[Digest.Length..]);
    }

    /// <summary>The 64 bytes, in a new array.</summary>
    public byte[] ToArray()
    {
        byte[] bytes = new byte[Length];
        CopyTo(bytes);
        return bytes;
    }

    /// <inheritdoc/>
    public bool Equals(Signature other) => _r == other._r && _s == other._s;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Signature other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _r.GetHashCode();

    /// <summary>128 lower-case hexadecimal digits.</summary>
    public override string ToString() => _r.ToString() + _s.ToString();

    /// <summary>Byte equality.</summary>
    public static bool operator ==(Signature left, Signature right) => left.Equals(right);

    /// <summary>Byte inequality.</summary>
    public static bool operator !=(Signature left, Signature right) => !left.Equals(right);
}
