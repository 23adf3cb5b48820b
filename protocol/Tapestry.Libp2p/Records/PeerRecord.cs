using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>What a peer says of where it is reached. Believed only in a <see cref="SignedPeerRecord"/>.</summary>
/// <remarks>libp2p/specs, RFC/0003-routing-records.md: <c>{1: peer id, 2: sequence, 3: {1: address}…}</c>.</remarks>
public sealed class PeerRecord
{
    /// <summary>The most addresses of a record: some ten interfaces, each over several transports.</summary>
    public const int MaximumAddresses = 64;

    private const int PeerIdField = 1;
    private const int SequenceField = 2;
    private const int AddressField = 3;
    private const int MultiaddrField = 1;

    /// <summary>A record.</summary>
    /// <param name="peer">Whom it is about.</param>
    /// <param name="sequence">Greater than that of every earlier record of this peer; no time of day, whatever it was made from.</param>
    /// <param name="addresses">Where the peer is reached, best first, without its own <c>/p2p/</c>; at most <see cref="MaximumAddresses"/>.</param>
    /// <exception cref="ArgumentException">More addresses than a record may hold.</exception>
    public PeerRecord(PeerId peer, ulong sequence, IReadOnlyList<Multiaddr> addresses)
    {
        ArgumentNullException.ThrowIfNull(peer);
        ArgumentNullException.ThrowIfNull(addresses);
        if (addresses.Count > MaximumAddresses)
        {
            throw new ArgumentException($"{addresses.Count} addresses; a record has room for {MaximumAddresses}.", nameof(addresses));
        }

        Peer = peer;
        Sequence = sequence;
        Addresses = addresses;
    }

    /// <summary>Whom the record is about.</summary>
    public PeerId Peer { get; }

    /// <summary>Of two records of a peer, the one with the greater number holds.</summary>
    public ulong Sequence { get; }

    /// <summary>Where the peer is reached, in its own order. Of a record that was read, addresses of transports that we do not speak are left out.</summary>
    public IReadOnlyList<Multiaddr> Addresses { get; }

    /// <summary>Reads a record.</summary>
    /// <returns>A fault, or <see cref="RecordFault.None"/> with a <paramref name="record"/>.</returns>
    public static RecordFault TryRead(ReadOnlySpan<byte> bytes, out PeerRecord? record)
    {
        record = null;
        if (bytes.Length > SignedEnvelope.MaximumLength)
        {
            return RecordFault.TooLarge;
        }

        PeerId? peer = null;
        ulong sequence = 0;
        int named = 0;
        List<Multiaddr> addresses = [];
        ProtobufReader reader = new(bytes);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case PeerIdField:
                    if (!PeerId.TryRead(reader.ReadBytes(PeerId.MaximumLength), out peer))
                    {
                        return RecordFault.Malformed;
                    }

                    break;
                case SequenceField:
                    sequence = reader.ReadUInt64();
                    break;
                case AddressField when named == MaximumAddresses:
                    return RecordFault.TooManyAddresses;
                case AddressField:
                    named++;
                    if (!TryReadAddress(reader.ReadBytes(SignedEnvelope.MaximumLength), out Multiaddr? address))
                    {
                        return RecordFault.Malformed;
                    }

                    if (address is not null)
                    {
                        addresses.Add(address);
                    }

                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        if (reader.Malformed || peer is null)
        {
            return RecordFault.Malformed;
        }

        record = new PeerRecord(peer, sequence, [.. addresses.Select(address => Bare(address, peer)).OfType<Multiaddr>().Distinct()]);
        return RecordFault.None;
    }

    /// <summary>The record's bytes, the same ones every time.</summary>
    public byte[] ToArray()
    {
        ProtobufWriter writer = new();
        writer.WriteBytes(PeerIdField, Peer.Bytes);
        writer.WriteUInt64(SequenceField, Sequence);
        foreach (Multiaddr address in Addresses)
        {
            ProtobufWriter inner = new();
            inner.WriteBytes(MultiaddrField, address.ToArray());
            writer.WriteBytes(AddressField, inner.Written);
        }

        return writer.ToArray();
    }

    /// <returns>False when the bytes are no message; true without an address where it is one that we cannot use.</returns>
    private static bool TryReadAddress(ReadOnlySpan<byte> bytes, out Multiaddr? address)
    {
        address = null;
        ProtobufReader reader = new(bytes);
        while (reader.TryReadTag())
        {
            if (reader.Field == MultiaddrField)
            {
                _ = Multiaddr.TryRead(reader.ReadBytes(SignedEnvelope.MaximumLength), out address);
            }
            else
            {
                reader.SkipValue();
            }
        }

        return !reader.Malformed;
    }

    // An address may end in the peer itself, which says nothing; one that ends in another peer is not where this one is.
    private static Multiaddr? Bare(Multiaddr address, PeerId peer) =>
        address.Peer is null ? address
        : address.Peer == peer && address.Parts.Count > 1 ? address.WithoutPeer()
        : null;
}
