namespace Tapestry.Protocol.Messages;

/// <summary>Why bytes from a peer are not a message to act on. Never thrown: a bad message is ordinary input.</summary>
public enum MessageFault : byte
{
    /// <summary>No fault.</summary>
    None = 0,

    /// <summary>More bytes than the message's bound.</summary>
    TooLarge = 1,

    /// <summary>Not the canonical encoding of a message of its type, or a field is out of its range.</summary>
    Malformed = 2,

    /// <summary>A message type that this version does not know.</summary>
    UnknownType = 3,

    /// <summary>The signature does not hold.</summary>
    BadSignature = 4,

    /// <summary>A certificate of another committee, with too few votes, or with a vote that does not hold.</summary>
    BadCertificate = 5,
}
