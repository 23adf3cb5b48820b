namespace Tapestry.Libp2p;

/// <summary>How a <see cref="Libp2pHost"/> presents itself and what it allows.</summary>
public sealed record Libp2pHostOptions
{
    /// <summary>Where to listen: <c>/ip4|ip6/…/tcp/…</c>, port 0 for any free one. Default: nowhere, so that we only dial.</summary>
    public IReadOnlyList<Multiaddr> ListenAddresses { get; init; } = [];

    /// <summary>
    /// Where others are told to reach us, where that differs from where we listen (behind port forwarding, or under a name).
    /// Default: where we listen, with 0.0.0.0 and :: as the addresses of this machine's interfaces.
    /// </summary>
    public IReadOnlyList<Multiaddr> AnnounceAddresses { get; init; } = [];

    /// <summary>Whose addresses are kept, how long, and how patiently they are dialled.</summary>
    public AddressBookOptions AddressBook { get; init; } = new();

    /// <summary>How often our peer record is signed anew even where nothing has changed, so that others keep it. Default 1 h: a small part of what they keep it for.</summary>
    public TimeSpan RecordRefresh { get; init; } = TimeSpan.FromHours(1);

    /// <summary>From a change of what we announce to the push that tells it, so that changes that come together go together. Default 1 s, as js-libp2p does.</summary>
    public TimeSpan PushDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>What identify tells others that we run.</summary>
    public string AgentVersion { get; init; } = "tapestry";

    /// <summary>How connections are secured, the preferred way first: what we offer when we dial, and accept when we are dialled. Default: Noise, then TLS.</summary>
    public IReadOnlyList<SecurityProtocol> Security { get; init; } = [SecurityProtocol.Noise, SecurityProtocol.Tls];

    /// <summary>How much of this machine the network may take.</summary>
    public ResourceLimits Limits { get; init; } = new();

    /// <summary>From an open socket to a multiplexed connection. Default 10 s: ten round trips of a bad satellite link.</summary>
    public TimeSpan HandshakeDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From an open stream to its agreed protocol, and for a whole identify. Default 10 s.</summary>
    public TimeSpan NegotiationDeadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whom to talk to, asked once a peer has proved who it is, in both directions. Default: anyone.</summary>
    public Predicate<PeerId> Admits { get; init; } = static _ => true;

    /// <summary>Whose connections stay open though nothing happens on them, asked now and then. Default: nobody's.</summary>
    public Predicate<PeerId> Protects { get; init; } = static _ => false;

    /// <summary>Whether to answer <c>/perf/1.0.0</c>, which lets any admitted peer take as much bandwidth as it likes. Default: no.</summary>
    public bool AnswersPerf { get; init; }

    /// <summary>The clock of every deadline. Default: the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
