namespace Tapestry.Libp2p.Gossip;

/// <summary>A message whose author is proved: only <see cref="SignedMessage.TryVerify(PeerId, out GossipMessage?)"/> makes one.</summary>
public sealed class GossipMessage
{
    internal GossipMessage(SignedMessage signed, PeerId author, ulong sequence, PeerId sender)
    {
        Signed = signed;
        Author = author;
        Sequence = sequence;
        Sender = sender;
    }

    /// <summary>Who wrote it.</summary>
    public PeerId Author { get; }

    /// <summary>The author's number for it.</summary>
    public ulong Sequence { get; }

    /// <summary>Who sent it to us: the author or anybody else.</summary>
    public PeerId Sender { get; }

    /// <summary>Its topic.</summary>
    public string Topic => Signed.Topic;

    /// <summary>What it says.</summary>
    public ReadOnlyMemory<byte> Data => Signed.Data;

    /// <summary>Its id.</summary>
    public GossipId Id => Signed.Id;

    internal SignedMessage Signed { get; }
}
