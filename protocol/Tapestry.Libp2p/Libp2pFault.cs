namespace Tapestry.Libp2p;

/// <summary>Why a connection, a stream or a negotiation ended badly. One name for every way in which a peer can be wrong.</summary>
public enum Libp2pFault : byte
{
    /// <summary>No fault: an orderly end.</summary>
    None = 0,

    /// <summary>The transport ended or broke before the layer above said goodbye.</summary>
    ConnectionLost,

    /// <summary>The remote reset the stream.</summary>
    StreamReset,

    /// <summary>We ended the connection or the stream ourselves.</summary>
    ClosedLocally,

    /// <summary>A deadline of ours passed.</summary>
    DeadlinePassed,

    /// <summary>A limit of <see cref="ResourceLimits"/> would have been passed; nothing was wrong with the bytes.</summary>
    ResourceLimit,

    /// <summary>A rate of <see cref="ResourceLimits"/> would have been passed; nothing was wrong with the bytes.</summary>
    RateLimit,

    /// <summary>A length is larger than its bound.</summary>
    TooLarge,

    /// <summary>Bytes that the protocol of this layer does not allow.</summary>
    Malformed,

    /// <summary>The remote speaks none of the protocols that were proposed.</summary>
    ProtocolNotSupported,

    /// <summary>The connection gate does not admit this peer.</summary>
    PeerRefused,

    /// <summary>The remote proved another peer id than the one that was dialled.</summary>
    WrongPeer,

    /// <summary>The dialled address cannot be reached, or nobody listens there.</summary>
    Unreachable,

    /// <summary>Every known address of the peer failed lately and is left alone for a while.</summary>
    BackingOff,

    /// <summary>An address of ours cannot be listened on: in use, not ours, or not permitted.</summary>
    CannotListen,

    /// <summary>Noise: a message does not authenticate.</summary>
    NoiseDecryption,

    /// <summary>Noise: a Diffie-Hellman result is all zero, so the remote sent a point of small order.</summary>
    NoiseZeroSharedSecret,

    /// <summary>Noise: the remote's identity does not sign its static key.</summary>
    NoiseIdentitySignature,

    /// <summary>The remote's identity key is none that we take: RSA outside 2048 to 8192 bits, or not a key of its type.</summary>
    IdentityKeyRefused,

    /// <summary>TLS: the handshake failed: another version, no common application protocol, an alert, or bytes that are not TLS.</summary>
    TlsHandshake,

    /// <summary>TLS: no certificate, or more than one.</summary>
    TlsCertificateCount,

    /// <summary>TLS: the certificate is not valid yet, or no longer.</summary>
    TlsCertificateDates,

    /// <summary>TLS: the certificate is not signed by its own key, or its key is of a kind that we do not take.</summary>
    TlsSelfSignature,

    /// <summary>TLS: the certificate has no libp2p extension, or a malformed one.</summary>
    TlsExtension,

    /// <summary>TLS: the certificate has a critical extension that we do not know.</summary>
    TlsCriticalExtension,

    /// <summary>TLS: the remote's identity does not sign the key of its certificate.</summary>
    TlsIdentitySignature,

    /// <summary>Yamux: a frame that the specification forbids (version, type, flags, or a stream id of the wrong side).</summary>
    YamuxProtocol,

    /// <summary>Yamux: more data than the window allows.</summary>
    YamuxWindowExceeded,

    /// <summary>Yamux: the remote said goodbye with an error code.</summary>
    YamuxGoAway,

    /// <summary>Relay: it takes no more reservations.</summary>
    RelayReservationRefused,

    /// <summary>Relay: it carries as many connections as it may, in all or for one of the two peers.</summary>
    RelayLimitExceeded,

    /// <summary>Relay: it does not serve us, or not to this peer.</summary>
    RelayPermissionDenied,

    /// <summary>Relay: the peer that is wanted has no reservation there.</summary>
    RelayNoReservation,

    /// <summary>Relay: the peer that is wanted did not answer, or did not want the connection.</summary>
    RelayConnectionFailed,

    /// <summary>Relay: it says that our message was wrong, or answers with a status that has no name.</summary>
    RelayRejectedMessage,

    /// <summary>Relay: the voucher of a reservation is not the relay's signed word for us, or the reservation has ended already.</summary>
    RelayVoucher,
}
