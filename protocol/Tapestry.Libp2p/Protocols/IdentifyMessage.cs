using System.Diagnostics.CodeAnalysis;
using System.Text;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>What a peer tells about itself.</summary>
/// <remarks>
/// libp2p/specs, identify/README.md, and field 8 of js-libp2p and go-libp2p. Nothing but the record in it is proved; the
/// connection has proved the peer id.
/// </remarks>
public sealed record IdentifyMessage
{
    /// <summary>The most bytes that are read: the bound of go-libp2p and js-libp2p.</summary>
    public const int MaximumLength = 8192;

    /// <summary>The most messages that one peer may send in place of one, as go-libp2p and js-libp2p read them.</summary>
    public const int MaximumParts = 10;

    /// <summary>The most listen addresses, and the most protocols, that are kept; more are passed over.</summary>
    public const int MaximumEntries = 128;

    private const int MaximumTextLength = 256;

    private const int PublicKeyField = 1;
    private const int ListenAddressField = 2;
    private const int ProtocolField = 3;
    private const int ObservedAddressField = 4;
    private const int ProtocolVersionField = 5;
    private const int AgentVersionField = 6;
    private const int RecordField = 8;

    // What peers without the record's field read; go-libp2p sends the record in a message of its own beyond it.
    private const int UndividedLength = 2048;

    /// <summary>The identity key; null when absent or of a kind that we do not know.</summary>
    public IdentityKey? PublicKey { get; init; }

    /// <summary>Where the peer listens; addresses of transports that we do not speak are left out.</summary>
    public IReadOnlyList<Multiaddr> ListenAddresses { get; init; } = [];

    /// <summary>The protocols that it answers.</summary>
    public IReadOnlyList<string> Protocols { get; init; } = [];

    /// <summary>Where it sees us come from.</summary>
    public Multiaddr? ObservedAddress { get; init; }

    /// <summary>The family of protocols that it belongs to.</summary>
    public string ProtocolVersion { get; init; } = "ipfs/0.1.0";

    /// <summary>The program that it runs.</summary>
    public string AgentVersion { get; init; } = "";

    /// <summary>The signed record of where the peer is reached; null when absent or not to be believed.</summary>
    public SignedPeerRecord? Record { get; init; }

    /// <summary>Why a record that was sent is not believed.</summary>
    public RecordFault RecordFault { get; init; }

    /// <summary>Reads a message; unknown fields are passed over.</summary>
    /// <returns>False when the bytes are no message or a text is too long.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out IdentifyMessage? message)
    {
        List<Multiaddr> listen = [];
        List<string> protocols = [];
        IdentifyMessage read = new() { ListenAddresses = listen, Protocols = protocols, ProtocolVersion = "" };
        ProtobufReader reader = new(bytes);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case PublicKeyField:
                    read = read with { PublicKey = IdentityKey.TryRead(reader.ReadBytes(MaximumLength), out IdentityKey? key) ? key : null };
                    break;
                case ListenAddressField:
                    if (Multiaddr.TryRead(reader.ReadBytes(MaximumLength), out Multiaddr? address) && listen.Count < MaximumEntries)
                    {
                        listen.Add(address);
                    }

                    break;
                case ProtocolField:
                    string protocol = ReadText(ref reader);
                    if (protocols.Count < MaximumEntries)
                    {
                        protocols.Add(protocol);
                    }

                    break;
                case ObservedAddressField:
                    read = read with { ObservedAddress = Multiaddr.TryRead(reader.ReadBytes(MaximumLength), out Multiaddr? observed) ? observed : null };
                    break;
                case ProtocolVersionField:
                    read = read with { ProtocolVersion = ReadText(ref reader) };
                    break;
                case AgentVersionField:
                    read = read with { AgentVersion = ReadText(ref reader) };
                    break;
                case RecordField:
                    RecordFault fault = SignedPeerRecord.TryOpen(reader.ReadBytes(MaximumLength), out SignedPeerRecord? record);
                    read = read with { Record = record, RecordFault = fault };
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        message = reader.Malformed ? null : read;
        return message is not null;
    }

    /// <summary>The message, in a new array.</summary>
    public byte[] ToArray()
    {
        ProtobufWriter writer = new();
        if (PublicKey is not null)
        {
            writer.WriteBytes(PublicKeyField, PublicKey.Encoded);
        }

        foreach (Multiaddr address in ListenAddresses)
        {
            writer.WriteBytes(ListenAddressField, address.ToArray());
        }

        foreach (string protocol in Protocols)
        {
            writer.WriteText(ProtocolField, protocol);
        }

        if (ObservedAddress is not null)
        {
            writer.WriteBytes(ObservedAddressField, ObservedAddress.ToArray());
        }

        writer.WriteText(ProtocolVersionField, ProtocolVersion);
        writer.WriteText(AgentVersionField, AgentVersion);
        if (Record is not null)
        {
            writer.WriteBytes(RecordField, Record.Envelope.Encoded.Span);
        }

        return writer.ToArray();
    }

    /// <summary>The messages to send: one, or of a long one everything but the record first.</summary>
    internal IReadOnlyList<byte[]> ToParts()
    {
        byte[] whole = ToArray();
        if (Record is null || whole.Length <= UndividedLength)
        {
            return [whole];
        }

        ProtobufWriter writer = new();
        writer.WriteBytes(RecordField, Record.Envelope.Encoded.Span);
        return [(this with { Record = null }).ToArray(), writer.ToArray()];
    }

    /// <summary>This message and the next one of the same stream as one: lists are joined, of single values the last holds.</summary>
    internal IdentifyMessage Joined(IdentifyMessage next) => new()
    {
        PublicKey = next.PublicKey ?? PublicKey,
        ListenAddresses = [.. ListenAddresses.Concat(next.ListenAddresses).Distinct().Take(MaximumEntries)],
        Protocols = [.. Protocols.Concat(next.Protocols).Distinct(StringComparer.Ordinal).Take(MaximumEntries)],
        ObservedAddress = next.ObservedAddress ?? ObservedAddress,
        ProtocolVersion = next.ProtocolVersion.Length > 0 ? next.ProtocolVersion : ProtocolVersion,
        AgentVersion = next.AgentVersion.Length > 0 ? next.AgentVersion : AgentVersion,
        Record = next.Record ?? Record,
        RecordFault = next.RecordFault != RecordFault.None ? next.RecordFault : RecordFault,
    };

    /// <summary>What is known after a push: fields that are present replace, absent ones stay.</summary>
    internal IdentifyMessage Updated(IdentifyMessage pushed) => new()
    {
        PublicKey = pushed.PublicKey ?? PublicKey,
        ListenAddresses = pushed.ListenAddresses.Count > 0 ? pushed.ListenAddresses : ListenAddresses,
        Protocols = pushed.Protocols.Count > 0 ? pushed.Protocols : Protocols,
        ObservedAddress = pushed.ObservedAddress ?? ObservedAddress,
        ProtocolVersion = pushed.ProtocolVersion.Length > 0 ? pushed.ProtocolVersion : ProtocolVersion,
        AgentVersion = pushed.AgentVersion.Length > 0 ? pushed.AgentVersion : AgentVersion,
        Record = pushed.Record ?? Record,
        RecordFault = pushed.RecordFault,
    };

    private static string ReadText(ref ProtobufReader reader) => Encoding.UTF8.GetString(reader.ReadBytes(MaximumTextLength));
}
