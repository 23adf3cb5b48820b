using System.Diagnostics.CodeAnalysis;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>What a relay tells about a reservation, inside a <see cref="HopMessage"/>.</summary>
/// <param name="Expires">When it ends, unless it is refreshed; whole seconds.</param>
/// <param name="Addresses">Direct addresses of the relay; those that we cannot use are left out.</param>
/// <param name="Voucher">The relay's signed word, for <see cref="RelayVoucher.TryOpen"/>; empty where it gives none.</param>
public sealed record ReservationMessage(DateTimeOffset Expires, IReadOnlyList<Multiaddr> Addresses, ReadOnlyMemory<byte> Voucher)
{
    /// <summary>The most addresses that are kept; more are passed over.</summary>
    public const int MaximumAddresses = 64;

    private const int ExpireField = 1;
    private const int AddressField = 2;
    private const int VoucherField = 3;

    /// <summary>Reads a reservation.</summary>
    /// <returns>False when the bytes are no message, or say no time.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out ReservationMessage? reservation)
    {
        ulong expires = 0;
        List<Multiaddr> addresses = [];
        byte[] voucher = [];
        ProtobufReader reader = new(bytes);
        while (reader.TryReadTag())
        {
            switch (reader.Field)
            {
                case ExpireField:
                    expires = reader.ReadUInt64();
                    break;
                case AddressField:
                    if (Multiaddr.TryRead(reader.ReadBytes(HopMessage.MaximumLength), out Multiaddr? address)
                        && !address.IsCircuit && addresses.Count < MaximumAddresses)
                    {
                        addresses.Add(address);
                    }

                    break;
                case VoucherField:
                    voucher = reader.ReadBytes(HopMessage.MaximumLength).ToArray();
                    break;
                default:
                    reader.SkipValue();
                    break;
            }
        }

        bool isSound = !reader.Malformed && RelayParts.IsTime(expires);
        reservation = isSound ? new ReservationMessage(DateTimeOffset.FromUnixTimeSeconds((long)expires), addresses, voucher) : null;
        return isSound;
    }

    /// <summary>The message, in a new array.</summary>
    public byte[] ToArray()
    {
        ProtobufWriter writer = new();
        writer.WriteUInt64(ExpireField, (ulong)Expires.ToUnixTimeSeconds());
        foreach (Multiaddr address in Addresses)
        {
            writer.WriteBytes(AddressField, address.ToArray());
        }

        if (!Voucher.IsEmpty)
        {
            writer.WriteBytes(VoucherField, Voucher.Span);
        }

        return writer.ToArray();
    }
}
