using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Tapestry.Libp2p;

/// <summary>Where a peer listens, and who it is: <c>/ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…</c>.</summary>
/// <remarks>
/// A peer that is reached through a relay has the relay's address before its own id: <c>…/p2p/RELAY/p2p-circuit/p2p/12D3Koo…</c>.
/// multiformats/multiaddr; text and binary form. Immutable; equal when the text is. Read only when every part is one of
/// <see cref="MultiaddrProtocol"/> and canonical, so that one address has one form.
/// </remarks>
public sealed class Multiaddr : IEquatable<Multiaddr>
{
    /// <summary>The longest binary form that is read, in bytes: a full DNS name, a port and a peer id, with room to spare.</summary>
    public const int MaximumLength = 512;

    /// <summary>The longest text that is parsed, in characters.</summary>
    public const int MaximumTextLength = 1024;

    /// <summary>The most parts in an address.</summary>
    public const int MaximumParts = 8;

    private readonly string _text;

    private Multiaddr(IReadOnlyList<MultiaddrPart> parts)
    {
        Parts = parts;
        _text = MultiaddrCodec.ToText(parts);
    }

    /// <summary>The parts, outermost first.</summary>
    public IReadOnlyList<MultiaddrPart> Parts { get; }

    /// <summary>The peer that the address ends in, if it names one.</summary>
    public PeerId? Peer => Parts[^1].Protocol == MultiaddrProtocol.P2p ? PeerId.Parse(Parts[^1].Value) : null;

    /// <summary>Whether the address leads through a relay.</summary>
    public bool IsCircuit => Parts.Any(part => part.Protocol == MultiaddrProtocol.P2pCircuit);

    /// <summary>Parses the text form.</summary>
    /// <returns>False when it is too long, empty, has an unknown protocol or a value that its protocol does not allow.</returns>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Multiaddr? address)
    {
        address = text is { Length: <= MaximumTextLength } && MultiaddrCodec.TryParse(text, out List<MultiaddrPart>? parts)
            ? new Multiaddr(parts)
            : null;
        return address is not null;
    }

    /// <summary>Parses like <see cref="TryParse"/>.</summary>
    /// <exception cref="FormatException"><paramref name="text"/> is not such an address.</exception>
    public static Multiaddr Parse(string text) => TryParse(text, out Multiaddr? address)
        ? address
        : throw new FormatException($"'{text}' is not an address that we can use: expected for example /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…, with ip4, ip6, dns, dns4 or dns6.");

    /// <summary>Reads the binary form.</summary>
    /// <returns>False under the same conditions as <see cref="TryParse"/>.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Multiaddr? address)
    {
        address = bytes.Length <= MaximumLength && MultiaddrCodec.TryRead(bytes, out List<MultiaddrPart>? parts)
            ? new Multiaddr(parts)
            : null;
        return address is not null;
    }

    /// <summary>The address of a TCP endpoint.</summary>
    public static Multiaddr From(IPEndPoint endPoint)
    {
        ArgumentNullException.ThrowIfNull(endPoint);
        IPAddress ip = endPoint.Address.IsIPv4MappedToIPv6 ? endPoint.Address.MapToIPv4() : endPoint.Address;
        bool is4 = ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
        // A scope id names an interface of this machine and means nothing elsewhere.
        IPAddress address = is4 ? ip : new IPAddress(ip.GetAddressBytes());
        return new Multiaddr(
        [
            new MultiaddrPart(is4 ? MultiaddrProtocol.Ip4 : MultiaddrProtocol.Ip6, address.ToString()),
            new MultiaddrPart(MultiaddrProtocol.Tcp, endPoint.Port.ToString(System.Globalization.CultureInfo.InvariantCulture)),
        ]);
    }

    /// <summary>The same address, ending in <paramref name="peer"/> in place of the peer it ends in, if any.</summary>
    public Multiaddr WithPeer(PeerId peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        return new Multiaddr([.. WithoutPeer().Parts, new MultiaddrPart(MultiaddrProtocol.P2p, peer.ToString())]);
    }

    /// <summary>The same address without the peer that it ends in.</summary>
    public Multiaddr WithoutPeer() => Peer is null || Parts.Count == 1 ? this : new Multiaddr([.. Parts.SkipLast(1)]);

    /// <summary>The address through the relay that this address ends in; <see cref="WithPeer"/> then says to whom.</summary>
    /// <exception cref="InvalidOperationException">The address names no peer to relay, or leads through a relay already.</exception>
    public Multiaddr ThroughCircuit() => Peer is not null && !IsCircuit
        ? new Multiaddr([.. Parts, new MultiaddrPart(MultiaddrProtocol.P2pCircuit, "")])
        : throw new InvalidOperationException($"{this} is not the direct address of a relay.");

    /// <summary>The direct address of the relay, where the address leads through exactly one: what comes before <c>/p2p-circuit</c>.</summary>
    /// <returns>False when the address is direct, names no relay before the circuit, or has more after it than a peer.</returns>
    public bool TryGetRelay([NotNullWhen(true)] out Multiaddr? relay)
    {
        relay = null;
        int circuit = Parts.Count - (Peer is null ? 1 : 2);
        if (circuit > 0 && Parts[circuit].Protocol == MultiaddrProtocol.P2pCircuit)
        {
            Multiaddr before = new([.. Parts.Take(circuit)]);
            relay = before.Peer is not null && !before.IsCircuit ? before : null;
        }

        return relay is not null;
    }

    /// <summary>The TCP endpoint, where the address is a host and a port with at most a peer id after them.</summary>
    /// <param name="host">The host part: an IP address or a name.</param>
    /// <param name="port">The port; 0 asks for any free one when listening.</param>
    public bool TryGetTcp(out MultiaddrPart host, out ushort port)
    {
        host = Parts[0];
        port = 0;
        return Parts.Count == (Peer is null ? 2 : 3)
            && host.Protocol is not (MultiaddrProtocol.Tcp or MultiaddrProtocol.P2p or MultiaddrProtocol.P2pCircuit)
            && Parts[1].Protocol == MultiaddrProtocol.Tcp
            && ushort.TryParse(Parts[1].Value, System.Globalization.CultureInfo.InvariantCulture, out port);
    }

    /// <summary>The binary form, in a new array.</summary>
    public byte[] ToArray() => MultiaddrCodec.ToBytes(Parts);

    /// <summary>The text form.</summary>
    public override string ToString() => _text;

    /// <inheritdoc/>
    public bool Equals([NotNullWhen(true)] Multiaddr? other) => other is not null && _text == other._text;

    /// <inheritdoc/>
    public override bool Equals([NotNullWhen(true)] object? obj) => Equals(obj as Multiaddr);

    /// <inheritdoc/>
    public override int GetHashCode() => _text.GetHashCode(StringComparison.Ordinal);
}
