namespace Tapestry.Libp2p;

/// <summary>How a relay, or the peer behind it, answers. Numbers of the wire.</summary>
/// <remarks>libp2p/specs, relay/circuit-v2.md, "Protobuf". Numbers that are not named here are refusals too.</remarks>
public enum RelayStatus : ushort
{
    /// <summary>No status was sent.</summary>
    Unused = 0,

    /// <summary>It is done.</summary>
    Ok = 100,

    /// <summary>No reservation: too many of them.</summary>
    ReservationRefused = 200,

    /// <summary>Too many relayed connections, in all or of one of the peers.</summary>
    ResourceLimitExceeded = 201,

    /// <summary>This peer is not served: by choice of the relay, or because it came by way of a relay itself.</summary>
    PermissionDenied = 202,

    /// <summary>The peer behind the relay did not answer, or did not want the connection.</summary>
    ConnectionFailed = 203,

    /// <summary>The peer that is wanted has no reservation here.</summary>
    NoReservation = 204,

    /// <summary>Bytes that are no message of the protocol.</summary>
    MalformedMessage = 400,

    /// <summary>A message that has no place here.</summary>
    UnexpectedMessage = 401,
}
