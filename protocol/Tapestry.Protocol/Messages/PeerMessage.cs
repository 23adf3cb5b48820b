using Tapestry.Crypto;

namespace Tapestry.Protocol.Messages;

/// <summary>What travels between members: a closed choice. At most 64 KiB encoded.</summary>
public abstract partial record PeerMessage
{
    private PeerMessage()
    {
    }

    /// <summary>A signed statement.</summary>
    public sealed record Signed(SignedStatement Statement) : PeerMessage;

    /// <summary>A certificate.</summary>
    public sealed record Certified(Certificate Certificate) : PeerMessage;

    /// <summary>
    /// Where the sender stands: sent at the start of a round and again while it waits. The receiver answers with what the
    /// sender lacks: certificates, its own votes, receipts and settlements of that instance, or the decided value.
    /// Unsigned: the link names the sender.
    /// </summary>
    /// <param name="Round">The sender's round.</param>
    /// <param name="Agreement">None while contributing to a set; else the undecided agreement: also of a member without a base, which contributes nothing.</param>
    /// <param name="View">The lowest view of that agreement whose certificate the sender needs and lacks, or its own view; 0 before it starts.</param>
    public sealed record Status(long Round, AgreementKind Agreement, int View) : PeerMessage;

    /// <summary>
    /// Which receipts the sender lacks: a Status cannot name them, and answering with all would have no bound. The receiver
    /// answers with each named manifest that it holds and the receipts that it counted for it. Unsigned, like a Status.
    /// </summary>
    /// <param name="Round">The sender's round.</param>
    /// <param name="Manifests">Digests of manifests' signed statements, ascending, 1 to 32.</param>
    public sealed record Want(long Round, Sequence<Digest> Manifests) : PeerMessage;
}
