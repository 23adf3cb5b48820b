using System.Text;
using Tapestry.Crypto;
using Tapestry.Libp2p;

namespace Tapestry.Fuzz.Targets;

/// <summary>Keys, peer ids, addresses, and what peers tell about themselves.</summary>
internal static class IdentityTargets
{
    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        FuzzTarget.Of<IdentityKey>("identity-key", IdentityKey.TryRead, key => key.Encoded.ToArray(), Keys) with { IsCanonical = false },
        FuzzTarget.Of<PeerId>("peer-id", PeerId.TryRead, peer => peer.Bytes.ToArray(), () => Peers.Select(peer => peer.Bytes.ToArray())),
        Text<PeerId>("peer-id-text", PeerId.TryParse, () => Peers.Select(peer => peer.ToString()).Append(Peers[0].ToCid())),
        FuzzTarget.Of<Multiaddr>("multiaddr", Multiaddr.TryRead, address => address.ToArray(), () => Addresses.Select(address => address.ToArray())),
        FuzzTarget.Of<List<MultiaddrPart>>("multiaddr-parts", MultiaddrCodec.TryRead, null, () => Addresses.Select(address => address.ToArray())),
        Text<Multiaddr>("multiaddr-text", Multiaddr.TryParse, () => Addresses.Select(address => address.ToString())),
        FuzzTarget.Of<IdentifyMessage>("identify", IdentifyMessage.TryRead, null, Identifies) with { LengthMax = 9000 },
    ];

    /// <summary>An identity that is the same in every run.</summary>
    public static Libp2pIdentity Identity(byte number)
    {
        byte[] seed = new byte[SigningKey.SeedLength];
        seed.AsSpan().Fill(number);
        return new Libp2pIdentity(SigningKey.FromSeed(seed));
    }

    /// <summary>A peer, for what needs one.</summary>
    public static PeerId Peer => Peers[0];

    private delegate bool TryParser<T>(string? text, out T? value);

    private static PeerId[] Peers { get; } =
    [
        Identity(1).PeerId,
        PeerId.Parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"),
    ];

    /// <summary>Addresses of each kind.</summary>
    public static Multiaddr[] Addresses { get; } =
    [
        Multiaddr.Parse("/ip4/192.0.2.7/tcp/4001").WithPeer(Peers[0]),
        Multiaddr.Parse("/ip6/2001:db8::7/tcp/1").WithPeer(Peers[1]),
        Multiaddr.Parse("/dns4/partner.example.org/tcp/65535"),
    ];

    private static FuzzTarget Text<T>(string name, TryParser<T> parse, Func<IEnumerable<string>> samples) => new(
        name, [parse.Method], input => parse(Encoding.Latin1.GetString(input), out T? value) ? value : null,
        () => samples().Select(Encoding.Latin1.GetBytes))
    {
        Encode = value => Encoding.Latin1.GetBytes(value.ToString()!),
        IsCanonical = false,
        LengthMax = 2048,
    };

    private static IEnumerable<byte[]> Keys() =>
    [
        Identity(1).PublicKey.Encoded.ToArray(),
        // Another order, and a field that nobody knows.
        [0x12, 0x04, 1, 2, 3, 4, 0x1a, 0x01, 9, 0x08, 0x02],
    ];

    private static IEnumerable<byte[]> Identifies()
    {
        IdentifyMessage whole = new()
        {
            PublicKey = Identity(2).PublicKey,
            ListenAddresses = Addresses,
            Protocols = ["/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", "/tapestry/message/1"],
            ObservedAddress = Addresses[0],
            AgentVersion = "tapestry",
        };
        yield return whole.ToArray();
        yield return new IdentifyMessage { Protocols = [.. Enumerable.Range(0, 200).Select(number => $"/p/{number}")] }.ToArray();
    }
}
