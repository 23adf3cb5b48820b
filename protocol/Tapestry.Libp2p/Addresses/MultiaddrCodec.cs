using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>The text and binary forms of a <see cref="Multiaddr"/>, part by part.</summary>
internal static class MultiaddrCodec
{
    // RFC 1035, section 2.3.4, in the textual form without the root's dot.
    private const int MaximumNameLength = 253;

    private static readonly SearchValues<char> NameCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._");

    internal static string ToText(IReadOnlyList<MultiaddrPart> parts)
    {
        StringBuilder text = new();
        foreach (MultiaddrPart part in parts)
        {
            text.Append('/').Append(NameOf(part.Protocol));
            if (HasValue(part.Protocol))
            {
                text.Append('/').Append(part.Value);
            }
        }

        return text.ToString();
    }

    internal static bool TryParse(string text, [NotNullWhen(true)] out List<MultiaddrPart>? parts)
    {
        parts = null;
        string[] fields = text.Split('/');
        if (fields.Length < 2 || fields[0].Length != 0)
        {
            return false;
        }

        List<MultiaddrPart> read = [];
        for (int index = 1; index < fields.Length; index++)
        {
            if (read.Count == Multiaddr.MaximumParts || ProtocolOf(fields[index]) is not MultiaddrProtocol protocol)
            {
                return false;
            }

            string? value = "";
            if (HasValue(protocol))
            {
                index++;
                value = index < fields.Length ? Canonical(protocol, fields[index]) : null;
            }

            if (value is null)
            {
                return false;
            }

            read.Add(new MultiaddrPart(protocol, value));
        }

        parts = read;
        return true;
    }

    internal static byte[] ToBytes(IReadOnlyList<MultiaddrPart> parts)
    {
        ArrayBufferWriter<byte> writer = new();
        foreach (MultiaddrPart part in parts)
        {
            writer.Advance(Varint.Write(writer.GetSpan(Varint.MaximumLength), (ulong)part.Protocol));
            byte[] value = ValueBytes(part);
            if (FixedLength(part.Protocol) is null)
            {
                writer.Advance(Varint.Write(writer.GetSpan(Varint.MaximumLength), (ulong)value.Length));
            }

            writer.Write(value);
        }

        return writer.WrittenSpan.ToArray();
    }

    internal static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out List<MultiaddrPart>? parts)
    {
        parts = null;
        List<MultiaddrPart> read = [];
        while (!bytes.IsEmpty)
        {
            if (read.Count == Multiaddr.MaximumParts
                || Varint.TryRead(bytes, out ulong code, out int codeLength) != OperationStatus.Done
                || code > ushort.MaxValue
                || !Enum.IsDefined((MultiaddrProtocol)code))
            {
                return false;
            }

            bytes = bytes[codeLength..];
            MultiaddrProtocol protocol = (MultiaddrProtocol)code;
            int? fixedLength = FixedLength(protocol);
            ulong length = (ulong)(fixedLength ?? 0);
            int prefix = 0;
            bool sized = fixedLength is not null || Varint.TryRead(bytes, out length, out prefix) == OperationStatus.Done;
            if (!sized || length > (ulong)(bytes.Length - prefix) || ValueText(protocol, bytes.Slice(prefix, (int)length)) is not string value)
            {
                return false;
            }

            read.Add(new MultiaddrPart(protocol, value));
            bytes = bytes[(prefix + (int)length)..];
        }

        parts = read.Count > 0 ? read : null;
        return parts is not null;
    }

    // The one text form of a value, or null where the protocol does not allow it.
    private static string? Canonical(MultiaddrProtocol protocol, string value) => protocol switch
    {
        // The platform also parses "1" and "0x7f.1"; only the dotted form is an address here.
        MultiaddrProtocol.Ip4 => IPAddress.TryParse(value, out IPAddress? ip)
            && ip.AddressFamily == AddressFamily.InterNetwork && ip.ToString() == value ? value : null,
        MultiaddrProtocol.Ip6 => !value.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(value, out IPAddress? ip)
            && ip.AddressFamily == AddressFamily.InterNetworkV6 ? ip.ToString() : null,
        MultiaddrProtocol.Tcp => ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port)
            ? port.ToString(CultureInfo.InvariantCulture) : null,
        MultiaddrProtocol.P2p => PeerId.TryParse(value, out PeerId? peer) ? peer.ToString() : null,
        _ => value.Length is > 0 and <= MaximumNameLength && !value.AsSpan().ContainsAnyExcept(NameCharacters) ? value : null,
    };

    private static string? ValueText(MultiaddrProtocol protocol, ReadOnlySpan<byte> value) => protocol switch
    {
        MultiaddrProtocol.Ip4 or MultiaddrProtocol.Ip6 => new IPAddress(value).ToString(),
        MultiaddrProtocol.Tcp => BinaryPrimitives.ReadUInt16BigEndian(value).ToString(CultureInfo.InvariantCulture),
        MultiaddrProtocol.P2p => PeerId.TryRead(value, out PeerId? peer) ? peer.ToString() : null,
        MultiaddrProtocol.P2pCircuit => "",
        _ => value.Length <= MaximumNameLength && Ascii.IsValid(value) ? Canonical(protocol, Encoding.ASCII.GetString(value)) : null,
    };

    private static byte[] ValueBytes(MultiaddrPart part)
    {
        switch (part.Protocol)
        {
            case MultiaddrProtocol.Ip4 or MultiaddrProtocol.Ip6:
                return IPAddress.Parse(part.Value).GetAddressBytes();
            case MultiaddrProtocol.Tcp:
                byte[] port = new byte[sizeof(ushort)];
                BinaryPrimitives.WriteUInt16BigEndian(port, ushort.Parse(part.Value, CultureInfo.InvariantCulture));
                return port;
            case MultiaddrProtocol.P2p:
                return PeerId.Parse(part.Value).Bytes.ToArray();
            case MultiaddrProtocol.P2pCircuit:
                return [];
            default:
                return Encoding.ASCII.GetBytes(part.Value);
        }
    }

    private static bool HasValue(MultiaddrProtocol protocol) => FixedLength(protocol) != 0;

    // Null where a length goes before the value, 0 where there is no value.
    private static int? FixedLength(MultiaddrProtocol protocol) => protocol switch
    {
        MultiaddrProtocol.Ip4 => 4,
        MultiaddrProtocol.Ip6 => 16,
        MultiaddrProtocol.Tcp => 2,
        MultiaddrProtocol.P2pCircuit => 0,
        _ => null,
    };

    private static string NameOf(MultiaddrProtocol protocol) => protocol switch
    {
        MultiaddrProtocol.Ip4 => "ip4",
        MultiaddrProtocol.Tcp => "tcp",
        MultiaddrProtocol.Ip6 => "ip6",
        MultiaddrProtocol.Dns => "dns",
        MultiaddrProtocol.Dns4 => "dns4",
        MultiaddrProtocol.Dns6 => "dns6",
        MultiaddrProtocol.P2pCircuit => "p2p-circuit",
        _ => "p2p",
    };

    private static MultiaddrProtocol? ProtocolOf(string name) => name switch
    {
        "ip4" => MultiaddrProtocol.Ip4,
        "tcp" => MultiaddrProtocol.Tcp,
        "ip6" => MultiaddrProtocol.Ip6,
        "dns" => MultiaddrProtocol.Dns,
        "dns4" => MultiaddrProtocol.Dns4,
        "dns6" => MultiaddrProtocol.Dns6,
        "p2p-circuit" => MultiaddrProtocol.P2pCircuit,
        // The name of the p2p protocol before 2018; still in use in lists of addresses.
        "p2p" or "ipfs" => MultiaddrProtocol.P2p,
        _ => null,
    };
}
