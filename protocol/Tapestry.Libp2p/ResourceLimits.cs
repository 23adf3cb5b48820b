using Tapestry.Libp2p.Gossip;

namespace Tapestry.Libp2p;

/// <summary>How much of this machine the network may take. Everything that a peer can make grow has a bound here.</summary>
/// <remarks>
/// specs/50-network.md, section 7. Defaults suit a consortium of some tens of known peers. What is over a bound is refused
/// with <see cref="Libp2pFault.ResourceLimit"/>, what is too fast with <see cref="Libp2pFault.RateLimit"/>.
/// </remarks>
public sealed record ResourceLimits
{
    /// <summary>Open connections, both directions. Default 256: every member of a large consortium, several times.</summary>
    public int Connections { get; init; } = 256;

    /// <summary>Open connections to one peer. Default 4: a simultaneous open makes two, and an old one may linger after a restart.</summary>
    public int ConnectionsPerPeer { get; init; } = 4;

    /// <summary>Inbound connections from one IP address, handshakes included. Default 64: a quarter of all, so that no address can take them all.</summary>
    /// <remarks>Of IPv6, the first 64 bits count as one address: whoever has one has all of them. An institution behind one address fits.</remarks>
    public int ConnectionsPerAddress { get; init; } = 64;

    /// <summary>Accepted sockets that have not finished their handshake. Default 64; more are closed at once, so a flood costs no cryptography.</summary>
    public int PendingHandshakes { get; init; } = 64;

    /// <summary>The same from one IP address. Default 32: half, so that one address cannot keep the others out.</summary>
    public int PendingHandshakesPerAddress { get; init; } = 32;

    /// <summary>Sockets accepted from one IP address in a second, after a burst of <see cref="ConnectionsPerAddress"/>. Default 16.</summary>
    /// <remarks>A handshake costs about a millisecond of one core, so one address can take 2 % of it.</remarks>
    public int AcceptedPerAddressPerSecond { get; init; } = 16;

    /// <summary>Streams that a peer may have open on one connection. Default 256: what js-libp2p and go-libp2p keep to before an acknowledgement.</summary>
    public int StreamsPerConnection { get; init; } = 256;

    /// <summary>Streams that a peer may have open on all its connections. Default 512: both connections of a simultaneous open, in full.</summary>
    public int StreamsPerPeer { get; init; } = 512;

    /// <summary>Streams that a peer may have open for one protocol. Default 256: as many as on one connection.</summary>
    public int StreamsPerProtocol { get; init; } = 256;

    /// <summary>Streams that a peer may open on one connection in a second, after a burst of as many. Default 10,000.</summary>
    /// <remarks>Above what one connection can use (about 5,000 round trips a second on loopback); opening and resetting as fast as the wire allows is a flood.</remarks>
    public int StreamsOpenedPerSecond { get; init; } = 10_000;

    /// <summary>The largest receive window of one stream, in bytes. Default 16 MiB: one second of 134 Mbit/s, and what js-libp2p grows to.</summary>
    public int StreamWindowBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>How much the windows of one connection may grow beyond the first 256 KiB of each stream, in bytes. Default 64 MiB: four full windows.</summary>
    public long ConnectionBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>All windows of all connections together, in bytes. Default 1 GiB: 4096 new streams, or 64 that are fully grown.</summary>
    /// <remarks>What peers can make us hold at once, at most. When it is used up, streams are refused and windows stop growing.</remarks>
    public long WindowBytes { get; init; } = 1024L * 1024 * 1024;

    /// <summary>From an open stream to the end of the request on it. Default 30 s: a slow link's time for the largest request.</summary>
    public TimeSpan RequestDeadline { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a requester may take nothing more of its response, or leave its stream open after the end of it. Default 60 s.</summary>
    /// <remarks>Twice the time of a request: at 256 streams on one line of 10 Mbit/s, each still takes 128 KiB in half of it.</remarks>
    public TimeSpan ResponseDeadline { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>What may wait to be sent on one connection before each of its streams may keep only 16 KiB waiting, in bytes. Default 4 MiB: 16 streams in full.</summary>
    /// <remarks>A peer that opens streams and does not read makes us hold this, and 80 KiB for each stream: those and the part that waits for its turn.</remarks>
    public long UnsentBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>How long a connection may carry no stream before it is closed, unless <see cref="Libp2pHostOptions.Protects"/> its peer. Default 2 min.</summary>
    public TimeSpan IdleConnection { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The same for a connection that another one to the same peer makes superfluous. Default 5 s: until what was just opened has gone.</summary>
    public TimeSpan IdleSurplusConnection { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Peers whose addresses are kept, beside those that a person gave. Default 1024: several large consortia; some 2 MiB when all are as long as they may be.</summary>
    public int KnownPeers { get; init; } = 1024;

    /// <summary>Pushes of what a peer tells about itself, in a minute. Default 60: one a second, as fast as js-libp2p sends them.</summary>
    public int PushesPerMinute { get; init; } = 60;

    /// <summary>What others may make us relay.</summary>
    public RelayLimits Relay { get; init; } = new();

    /// <summary>What others may make us dial back.</summary>
    public AutonatLimits Autonat { get; init; } = new();

    /// <summary>What gossiping peers can make us hold or do.</summary>
    public GossipLimits Gossip { get; init; } = new();
}
