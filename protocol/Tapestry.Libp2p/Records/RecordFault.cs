namespace Tapestry.Libp2p;

/// <summary>Why a signed envelope, or the peer record in it, is not believed.</summary>
public enum RecordFault : byte
{
    /// <summary>No fault: it is believed.</summary>
    None = 0,

    /// <summary>Longer than any envelope or record may be.</summary>
    TooLarge,

    /// <summary>Not the fields of the message, cut short, or a key, signature or peer id that cannot be one.</summary>
    Malformed,

    /// <summary>The envelope holds something else than was asked for.</summary>
    WrongType,

    /// <summary>The signature is not the signer's over this content and domain.</summary>
    BadSignature,

    /// <summary>The record is about another peer than its signer.</summary>
    WrongPeer,

    /// <summary>The record names more addresses than <see cref="PeerRecord.MaximumAddresses"/>.</summary>
    TooManyAddresses,
}
