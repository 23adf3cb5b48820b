using System.Diagnostics.CodeAnalysis;
using System.Text;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>How a request to be dialled went. Numbers of the wire.</summary>
public enum AutonatStatus : ushort
{
    /// <summary>One of the addresses was reached.</summary>
    Ok = 0,

    /// <summary>None was.</summary>
    DialError = 100,

    /// <summary>None was tried: not an address that we dial for others, or too many requests.</summary>
    DialRefused = 101,

    /// <summary>Not a request, or about another peer than who asks.</summary>
    BadRequest = 200,

    /// <summary>The fault lies with who answers.</summary>
    InternalError = 300,
}

/// <summary>What two peers say to each other, on a stream of <see cref="Autonat.Id"/>.</summary>
/// <remarks>libp2p/specs, autonat/autonat-v1.md, "RPC messages".</remarks>
public abstract record AutonatMessage
{
    /// <summary>The most bytes that are read: the bound of js-libp2p, and twice that of go-libp2p.</summary>
    public const int MaximumLength = 8192;

    /// <summary>The most addresses of a request that are kept; more are passed over.</summary>
    public const int MaximumAddresses = 64;

    private const int MaximumTextLength = 256;
    private const int TypeField = 1;
    private const int DialField = 2;
    private const int ResponseField = 3;
    private const int PeerField = 1;
    private const int PeerIdField = 1;
    private const int PeerAddressField = 2;
    private const int StatusField = 1;
    private const int TextField = 2;
    private const int AddressField = 3;

    private AutonatMessage()
    {
    }

    /// <summary>Asks to be dialled.</summary>
    /// <param name="Peer">Who asks; null when the message does not say.</param>
    /// <param name="Addresses">Where; those that we cannot use are left out.</param>
    public sealed record Dial(PeerId? Peer, IReadOnlyList<Multiaddr> Addresses) : AutonatMessage
    {
        /// <inheritdoc/>
        public override byte[] ToArray()
        {
            ProtobufWriter peer = new();
            if (Peer is not null)
            {
                peer.WriteBytes(PeerIdField, Peer.Bytes);
            }

            foreach (Multiaddr address in Addresses)
            {
                peer.WriteBytes(PeerAddressField, address.ToArray());
            }

            ProtobufWriter dial = new();
            dial.WriteBytes(PeerField, peer.Written);
            ProtobufWriter message = new();
            message.WriteUInt64(TypeField, 0);
            message.WriteBytes(DialField, dial.Written);
            return message.ToArray();
        }
    }

    /// <summary>Says how it went.</summary>
    /// <param name="Status">How; numbers without a name are possible.</param>
    /// <param name="Text">More of it, for people; at most 256 bytes of it are kept.</param>
    /// <param name="Address">The address that was reached; null when none was, or it is not said.</param>
    public sealed record Response(AutonatStatus Status, string Text, Multiaddr? Address) : AutonatMessage
    {
        /// <inheritdoc/>
        public override byte[] ToArray()
        {
            ProtobufWriter response = new();
            response.WriteUInt64(StatusField, (ulong)Status);
            if (Text.Length > 0)
            {
                response.WriteText(TextField, Text);
            }

            if (Address is not null)
            {
                response.WriteBytes(AddressField, Address.ToArray());
            }

            ProtobufWriter message = new();
            message.WriteUInt64(TypeField, 1);
            message.WriteBytes(ResponseField, response.Written);
            return message.ToArray();
        }
    }

    /// <summary>The message, in a new array.</summary>
    public abstract byte[] ToArray();

    /// <summary>Reads a message; unknown fields are passed over.</summary>
    /// <returns>False when the bytes are no message, or the part that its type promises is absent or malformed.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out AutonatMessage? message)
    {
        message = null;
        ulong? type = null;
        Dial? dial = null;
        Response? response = null;
        bool isSound = bytes.Length <= MaximumLength;
        ProtobufReader reader = new(bytes);
        while (isSound && reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case TypeField:
                    type = reader.ReadUInt64();
                    break;
                case DialField:
                    isSound = TryReadDial(reader.ReadBytes(MaximumLength), out dial);
                    break;
                case ResponseField:
                    isSound = TryReadResponse(reader.ReadBytes(MaximumLength), out response);
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        if (isSound && !reader.Malformed)
        {
            message = type switch
            {
                0 => dial,
                1 => response,
                _ => null,
            };
        }

        return message is not null;
    }

    private static bool TryReadDial(ReadOnlySpan<byte> bytes, out Dial? dial)
    {
        dial = null;
        ProtobufReader reader = new(bytes);
        while (reader.TryReadTag())
        {
            if (reader.Field != PeerField)
            {
                reader.SkipValue();
            }
            else if (!TryReadPeer(reader.ReadBytes(MaximumLength), out dial))
            {
                return false;
            }
        }

        return !reader.Malformed;
    }

    private static bool TryReadPeer(ReadOnlySpan<byte> bytes, out Dial? dial)
    {
        dial = null;
        PeerId? peer = null;
        List<Multiaddr> addresses = [];
        ProtobufReader reader = new(bytes);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case PeerIdField:
                    if (!PeerId.TryRead(reader.ReadBytes(PeerId.MaximumLength), out peer))
                    {
                        return false;
                    }

                    break;
                case PeerAddressField:
                    if (Multiaddr.TryRead(reader.ReadBytes(MaximumLength), out Multiaddr? address) && addresses.Count < MaximumAddresses)
                    {
                        addresses.Add(address);
                    }

                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        dial = new Dial(peer, addresses);
        return !reader.Malformed;
    }

    private static bool TryReadResponse(ReadOnlySpan<byte> bytes, out Response? response)
    {
        ulong? status = null;
        string text = "";
        Multiaddr? address = null;
        ProtobufReader reader = new(bytes);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case StatusField:
                    status = reader.ReadUInt64();
                    break;
                case TextField:
                    ReadOnlySpan<byte> told = reader.ReadBytes(MaximumLength);
                    text = Encoding.UTF8.GetString(told[..Math.Min(told.Length, MaximumTextLength)]);
                    break;
                case AddressField:
                    _ = Multiaddr.TryRead(reader.ReadBytes(MaximumLength), out address);
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        // Whoever leaves the status out has not said that it went well.
        bool isSound = !reader.Malformed && status is not null and <= ushort.MaxValue;
        response = isSound ? new Response((AutonatStatus)status!.Value, text, address) : null;
        return isSound;
    }
}
