namespace Tapestry.Libp2p;

/// <summary>How much of this machine the network may take. Everything that a peer can make grow has a bound here.</summary>
/// <remarks>specs/50-network.md, section 7. Defaults suit a consortium of some tens of known peers.</remarks>
public sealed record ResourceLimits
{
    /// <summary>Open connections, both directions. Default 256: every member of a large consortium, several times.</summary>
    public int Connections { get; init; } = 256;

    /// <summary>Open connections to one peer. Default 4: a simultaneous open makes two, and an old one may linger after a restart.</summary>
    public int ConnectionsPerPeer { get; init; } = 4;

    /// <summary>Accepted sockets that have not finished their handshake. Default 64; more are closed at once, so a flood costs no cryptography.</summary>
    public int PendingHandshakes { get; init; } = 64;

    /// <summary>Streams that a peer may have open on one connection. Default 256: what js-libp2p and go-libp2p keep to before an acknowledgement.</summary>
    public int StreamsPerConnection { get; init; } = 256;

    /// <summary>The largest receive window of one stream, in bytes. Default 16 MiB: one second of 134 Mbit/s, and what js-libp2p grows to.</summary>
    public int StreamWindowBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>How much the windows of one connection may grow beyond the first 256 KiB of each stream, in bytes. Default 64 MiB: four full windows.</summary>
    public long ConnectionBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Peers whose addresses are kept, beside those that a person gave. Default 1024: several large consortia; some 2 MiB when all are as long as they may be.</summary>
    public int KnownPeers { get; init; } = 1024;
}
