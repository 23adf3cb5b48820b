using System.Diagnostics.CodeAnalysis;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>A relay's signed word that it carries connections to a peer. Whoever holds one has checked it.</summary>
/// <remarks>libp2p/specs, relay/circuit-v2.md, "Reservation Vouchers". Advisory: nobody has to show one to be connected.</remarks>
public sealed record RelayVoucher
{
    private const string Domain = "libp2p-relay-rsvp";

    private const int RelayField = 1;
    private const int PeerField = 2;
    private const int ExpirationField = 3;

    private RelayVoucher(PeerId relay, PeerId peer, DateTimeOffset expires)
    {
        Relay = relay;
        Peer = peer;
        Expires = expires;
    }

    /// <summary>The relay, which signed.</summary>
    public PeerId Relay { get; }

    /// <summary>The peer that reserved.</summary>
    public PeerId Peer { get; }

    /// <summary>When the word ends.</summary>
    public DateTimeOffset Expires { get; }

    // Multicodec 0x0302 as two plain bytes, as js-libp2p and go-libp2p write it.
    private static ReadOnlySpan<byte> PayloadType => [0x03, 0x02];

    /// <summary>Signs a voucher as the relay; returns its envelope.</summary>
    internal static SignedEnvelope Seal(Libp2pIdentity relay, PeerId peer, DateTimeOffset expires)
    {
        ProtobufWriter writer = new();
        writer.WriteBytes(RelayField, relay.PeerId.Bytes);
        writer.WriteBytes(PeerField, peer.Bytes);
        writer.WriteUInt64(ExpirationField, (ulong)expires.ToUnixTimeSeconds());
        return SignedEnvelope.Seal(relay, Domain, PayloadType, writer.Written);
    }

    /// <summary>Opens an envelope, checks its signature, and that the relay named in it is the signer.</summary>
    /// <returns>False when any of it is wrong.</returns>
    public static bool TryOpen(ReadOnlySpan<byte> envelope, [NotNullWhen(true)] out RelayVoucher? voucher)
    {
        voucher = null;
        if (SignedEnvelope.TryOpen(envelope, Domain, PayloadType, out SignedEnvelope? opened) != RecordFault.None
            || !TryReadPayload(opened!.Payload.Span, out PeerId? relay, out PeerId? peer, out ulong expires)
            || relay != opened.Signer)
        {
            return false;
        }

        voucher = new RelayVoucher(relay, peer, DateTimeOffset.FromUnixTimeSeconds((long)expires));
        return true;
    }

    private static bool TryReadPayload(
        ReadOnlySpan<byte> payload, [NotNullWhen(true)] out PeerId? relay, [NotNullWhen(true)] out PeerId? peer, out ulong expires)
    {
        relay = null;
        peer = null;
        expires = 0;
        ProtobufReader reader = new(payload);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case RelayField:
                    _ = PeerId.TryRead(reader.ReadBytes(PeerId.MaximumLength), out relay);
                    break;
                case PeerField:
                    _ = PeerId.TryRead(reader.ReadBytes(PeerId.MaximumLength), out peer);
                    break;
                case ExpirationField:
                    expires = reader.ReadUInt64();
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        return !reader.Malformed && relay is not null && peer is not null && RelayParts.IsTime(expires);
    }
}
