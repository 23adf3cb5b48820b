namespace Tapestry.Protocol.Messages;

/// <summary>The number that opens every message.</summary>
/// <remarks>specs/10-wire.md, section 3.</remarks>
public enum MessageType : byte
{
    /// <summary><see cref="Statement.Manifest"/>.</summary>
    Manifest = 1,

    /// <summary><see cref="Statement.Receipt"/>.</summary>
    Receipt = 2,

    /// <summary><see cref="Statement.Settlement"/>.</summary>
    Settlement = 3,

    /// <summary><see cref="Statement.Propose"/>.</summary>
    Propose = 4,

    /// <summary><see cref="Statement.Notarize"/>.</summary>
    Notarize = 5,

    /// <summary><see cref="Statement.Nullify"/>.</summary>
    Nullify = 6,

    /// <summary><see cref="Statement.Finalize"/>.</summary>
    Finalize = 7,

    /// <summary><see cref="PeerMessage.Certified"/>.</summary>
    Certificate = 16,

    /// <summary><see cref="PeerMessage.Status"/>.</summary>
    Status = 17,

    /// <summary><see cref="PeerMessage.Want"/>.</summary>
    Want = 18,
}
