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
        Draft draft = new([], []);
        message = draft.TryAdd(bytes) ? draft.ToMessage() : null;
        return message is not null;
    }

    /// <summary>Reads the messages of one stream as one: lists are joined, of single values the last holds.</summary>
    /// <returns>False when one of them is no message, or there is none.</returns>
    internal static bool TryRead(IReadOnlyList<byte[]> parts, [NotNullWhen(true)] out IdentifyMessage? message)
    {
        message = null;
        Draft draft = new([], []);
        foreach (byte[] part in parts)
        {
            if (!draft.TryAdd(part))
            {
                return false;
            }
        }

        message = parts.Count > 0 ? draft.ToMessage() : null;
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

    /// <summary>What has been read so far; keys and signatures are looked at once, at the end, however often they are sent.</summary>
    private ref struct Draft(List<Multiaddr> listen, List<string> protocols)
    {
        private ReadOnlySpan<byte> _key;
        private ReadOnlySpan<byte> _record;
        private Multiaddr? _observed;
        private string _protocolVersion = "";
        private string _agentVersion = "";

        internal bool TryAdd(ReadOnlySpan<byte> bytes)
        {
            ProtobufReader reader = new(bytes);
            while (reader.TryReadTag())
            {
                switch (reader.Field)
                {
                    case PublicKeyField:
                        _key = reader.ReadBytes(MaximumLength);
                        break;
                    case ListenAddressField:
                        _ = Multiaddr.TryRead(reader.ReadBytes(MaximumLength), out Multiaddr? address);
                        Add(listen, address);
                        break;
                    case ProtocolField:
                        Add(protocols, ReadText(ref reader));
                        break;
                    case ObservedAddressField:
                        _ = Multiaddr.TryRead(reader.ReadBytes(MaximumLength), out _observed);
                        break;
                    case ProtocolVersionField:
                        _protocolVersion = ReadText(ref reader);
                        break;
                    case AgentVersionField:
                        _agentVersion = ReadText(ref reader);
                        break;
                    case RecordField:
                        _record = reader.ReadBytes(MaximumLength);
                        break;
                    default:
                        reader.SkipValue();
                        break;
                }
            }

            return !reader.Malformed;
        }

        internal readonly IdentifyMessage ToMessage()
        {
            SignedPeerRecord? record = null;
            return new IdentifyMessage
            {
                PublicKey = IdentityKey.TryRead(_key, out IdentityKey? key) ? key : null,
                ListenAddresses = listen,
                Protocols = protocols,
                ObservedAddress = _observed,
                ProtocolVersion = _protocolVersion,
                AgentVersion = _agentVersion,
                RecordFault = _record.IsEmpty ? RecordFault.None : SignedPeerRecord.TryOpen(_record, out record),
                Record = record,
            };
        }

        private static void Add<T>(List<T> list, T? entry)
            where T : class
        {
            if (entry is not null && list.Count < MaximumEntries && !list.Contains(entry))
            {
                list.Add(entry);
            }
        }

        private static string ReadText(ref ProtobufReader reader) => Encoding.UTF8.GetString(reader.ReadBytes(MaximumTextLength));
    }
}
