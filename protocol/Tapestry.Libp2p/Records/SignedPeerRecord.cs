
namespace Tapestry.Libp2p;

/// <summary>A <see cref="PeerRecord"/> that its peer signed. Whoever holds one has checked it, and may pass it on.</summary>
/// <remarks>
/// RFC 0003 of libp2p/specs names another domain and type; js-libp2p and go-libp2p both use those below, and so do we.
/// specs/50-network.md, "Deviations".
/// </remarks>
public sealed class SignedPeerRecord
{
    /// <summary>The domain of its signature.</summary>
    public const string Domain = "libp2p-peer-record";

    private SignedPeerRecord(PeerRecord record, SignedEnvelope envelope)
    {
        Record = record;
        Envelope = envelope;
    }

    /// <summary>The type of its payload, multicodec 0x0301 as two plain bytes.</summary>
    public static ReadOnlySpan<byte> PayloadType => [0x03, 0x01];

    /// <summary>What it says.</summary>
    public PeerRecord Record { get; }

    /// <summary>The proof.</summary>
    public SignedEnvelope Envelope { get; }

    /// <summary>Whom it is about, who also signed it.</summary>
    public PeerId Peer => Record.Peer;

    /// <summary>Signs a record about ourselves.</summary>
    /// <exception cref="ArgumentException">The addresses take more room than an envelope has.</exception>
    public static SignedPeerRecord Sign(Libp2pIdentity identity, ulong sequence, IReadOnlyList<Multiaddr> addresses)
    {
        ArgumentNullException.ThrowIfNull(identity);
        PeerRecord record = new(identity.PeerId, sequence, addresses);
        return new SignedPeerRecord(record, SignedEnvelope.Seal(identity, Domain, PayloadType, record.ToArray()));
    }

    /// <summary>Opens an envelope, reads the record in it, and checks that it is about its signer.</summary>
    /// <returns>A fault, or <see cref="RecordFault.None"/> with a <paramref name="record"/>.</returns>
    public static RecordFault TryOpen(ReadOnlySpan<byte> envelope, out SignedPeerRecord? record)
    {
        record = null;
        RecordFault fault = SignedEnvelope.TryOpen(envelope, Domain, PayloadType, out SignedEnvelope? opened);
        if (fault != RecordFault.None)
        {
            return fault;
        }

        fault = PeerRecord.TryRead(opened!.Payload.Span, out PeerRecord? read);
        if (fault != RecordFault.None)
        {
            return fault;
        }

        if (read!.Peer != opened.Signer)
        {
            return RecordFault.WrongPeer;
        }

        record = new SignedPeerRecord(read, opened);
        return RecordFault.None;
    }
}
