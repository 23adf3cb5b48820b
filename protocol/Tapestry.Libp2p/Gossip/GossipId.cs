using System.Diagnostics.CodeAnalysis;

namespace Tapestry.Libp2p.Gossip;

/// <summary>The name of a gossiped message: its author followed by its sequence number, as js and go make it. Compared by its bytes.</summary>
public readonly struct GossipId : IEquatable<GossipId>
{
    private readonly byte[]? _bytes;

    /// <summary>An id that a peer names, or of a message; copied.</summary>
    public GossipId(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    /// <summary>The id of a message.</summary>
    /// <param name="author">The author's peer id.</param>
    /// <param name="sequence">The sequence number, 8 bytes, big-endian.</param>
    public GossipId(ReadOnlySpan<byte> author, ReadOnlySpan<byte> sequence) => _bytes = [.. author, .. sequence];

    /// <summary>The id.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <inheritdoc/>
    public bool Equals(GossipId other) => Bytes.SequenceEqual(other.Bytes);

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => obj is GossipId other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        // Seeded anew in every process, so that a peer cannot choose ids that collide.
        HashCode hash = default;
        hash.AddBytes(Bytes);
        return hash.ToHashCode();
    }

    /// <summary>Byte equality.</summary>
    public static bool operator ==(GossipId left, GossipId right) => left.Equals(right);

    /// <summary>Byte inequality.</summary>
    public static bool operator !=(GossipId left, GossipId right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => Convert.ToHexStringLower(Bytes);
}
