namespace Tapestry.Protocol;

/// <summary>Immutable bytes with value equality: encoded messages, keys and values of durable records.</summary>
public sealed class ByteString : IEquatable<ByteString>
{
    private readonly byte[] _bytes;

    private ByteString(byte[] bytes) => _bytes = bytes;

    /// <summary>No bytes.</summary>
    public static ByteString Empty { get; } = new([]);

    /// <summary>How many bytes.</summary>
    public int Length => _bytes.Length;

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Span => _bytes;

    /// <summary>The bytes, for asynchronous use.</summary>
    public ReadOnlyMemory<byte> Memory => _bytes;

    /// <summary>A copy of <paramref name="bytes"/>.</summary>
    public static ByteString CopyFrom(ReadOnlySpan<byte> bytes) => new(bytes.ToArray());

    /// <summary>Takes over <paramref name="bytes"/>, which the caller must not touch again.</summary>
    public static ByteString Own(byte[] bytes) => new(bytes);

    /// <summary>A copy of the bytes.</summary>
    public byte[] ToArray() => [.. _bytes];

    /// <inheritdoc/>
    public bool Equals(ByteString? other) => other is not null && Span.SequenceEqual(other.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ByteString);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        uint hash = 2166136261;
        foreach (byte value in _bytes)
        {
            hash = unchecked((hash ^ value) * 16777619);
        }

        return unchecked((int)hash);
    }

    /// <summary>Lower-case hexadecimal.</summary>
    public override string ToString() => Convert.ToHexStringLower(_bytes);
}
