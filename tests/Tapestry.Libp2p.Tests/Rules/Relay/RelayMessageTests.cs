using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Relay;

public sealed class RelayMessageTests
{
    private static readonly string PeerHex = Convert.ToHexStringLower(Hosts.Peer(7).Bytes);

    [Fact]
    public void Messages_are_the_bytes_of_the_specification()
    {
        // Field numbers and types of relay/circuit-v2.md, written out by hand.
        string peer = "0a26" + PeerHex;
        Hex(new HopMessage { Type = HopMessageType.Reserve }.ToArray()).Should().Be("0800");
        Hex(new HopMessage { Type = HopMessageType.Connect, Peer = Hosts.Peer(7) }.ToArray()).Should().Be("0801" + "1228" + peer);
        Hex(new HopMessage { Type = HopMessageType.Status, Status = RelayStatus.NoReservation }.ToArray()).Should().Be("0802" + "28cc01");
        Hex(new StopMessage { Type = StopMessageType.Connect, Peer = Hosts.Peer(7), Limit = new(TimeSpan.FromMinutes(2), 131072) }.ToArray())
            .Should().Be("0800" + "1228" + peer + "1a06" + "0878" + "10808008");
        Hex(new StopMessage { Type = StopMessageType.Status, Status = RelayStatus.Ok }.ToArray()).Should().Be("0801" + "2064");
    }

    [Fact]
    public void What_is_written_is_read()
    {
        HopMessage message = new()
        {
            Type = HopMessageType.Status,
            Status = RelayStatus.Ok,
            Limit = new ConnectionLimit(null, 5),
            Reservation = new ReservationMessage(
                DateTimeOffset.FromUnixTimeSeconds(1_800_000_000), [Multiaddr.Parse("/ip4/192.0.2.1/tcp/1")], new byte[] { 1, 2, 3 }),
        };

        HopMessage.TryRead(message.ToArray(), out HopMessage? read).Should().BeTrue();

        read!.Status.Should().Be(RelayStatus.Ok);
        read.Limit.Should().Be(message.Limit);
        read.Reservation!.Expires.Should().Be(message.Reservation.Expires);
        read.Reservation.Addresses.Should().Equal(message.Reservation.Addresses);
        read.Reservation.Voucher.ToArray().Should().Equal(1, 2, 3);
        read.ToArray().Should().Equal(message.ToArray());
    }

    [Theory]
    [InlineData("")] // no type
    [InlineData("0803")] // no such type
    [InlineData("08")]
    [InlineData("0a00")] // a type that is text
    [InlineData("0801" + "1200")] // a peer without an id
    [InlineData("0801" + "12040a020102")] // an id that cannot be one
    [InlineData("0802" + "2801" + "1a00")] // a reservation that never ends
    [InlineData("0802" + "1a0b" + "08ffffffffffffffffff01")] // after the end of time
    [InlineData("0802" + "28808004")] // a status above 65535
    [InlineData("0802" + "2202" + "0a00")] // a limit whose duration is text
    [InlineData("0802" + "22ff01")] // cut short
    public void Anything_else_is_no_message(string hex) =>
        HopMessage.TryRead(Convert.FromHexString(hex), out _).Should().BeFalse();

    [Fact]
    public void Longer_messages_than_the_bound_are_not_read()
    {
        byte[] padded = [0x08, 0x00, 0x32, .. Length(HopMessage.MaximumLength - 5), .. new byte[HopMessage.MaximumLength - 5]];
        padded.Length.Should().Be(HopMessage.MaximumLength);
        HopMessage.TryRead(padded, out _).Should().BeTrue("a field that is not known is passed over");
        HopMessage.TryRead([.. padded, 0], out _).Should().BeFalse();
        StopMessage.TryRead([.. padded, 0], out _).Should().BeFalse();

        static byte[] Length(int length) => [(byte)((length & 0x7F) | 0x80), (byte)(length >> 7)];
    }

    [Theory]
    [InlineData("0802" + "2200", null, null)]
    [InlineData("0802" + "2204" + "08001000", null, null)] // zero is no limit
    [InlineData("0802" + "2202" + "0805", 5, null)]
    [InlineData("0802" + "2202" + "1005", null, 5L)]
    [InlineData("0802" + "220b" + "10ffffffffffffffffff01", null, null)] // 2^64 - 1 bytes are no limit in effect
    public void Limits_say_what_the_specification_says(string hex, int? seconds, long? bytes)
    {
        HopMessage.TryRead(Convert.FromHexString(hex), out HopMessage? read).Should().BeTrue();
        ConnectionLimit? expected = seconds is null && bytes is null ? null
            : new ConnectionLimit(seconds is int value ? TimeSpan.FromSeconds(value) : null, bytes);
        read!.Limit.Should().Be(expected);
    }

    [Fact]
    public void A_relays_addresses_are_bounded_and_direct()
    {
        Multiaddr circuit = Multiaddr.Parse($"/ip4/192.0.2.1/tcp/1/p2p/{Hosts.Peer(1)}/p2p-circuit");
        IEnumerable<Multiaddr> many = Enumerable.Range(1, 80).Select(port => Multiaddr.Parse($"/ip4/192.0.2.1/tcp/{port}"));
        byte[] bytes = new ReservationMessage(DateTimeOffset.UnixEpoch.AddDays(1), [circuit, .. many], default).ToArray();

        ReservationMessage.TryRead(bytes, out ReservationMessage? read).Should().BeTrue();

        read!.Addresses.Should().HaveCount(ReservationMessage.MaximumAddresses).And.NotContain(circuit);
    }

    [Fact]
    public void Any_bytes_are_read_or_refused() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            HopMessage.TryRead(bytes, out _);
            StopMessage.TryRead(bytes, out _);
            return !ReservationMessage.TryRead(bytes, out ReservationMessage? read) || ReservationMessage.TryRead(read.ToArray(), out _);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_prefix_and_no_flipped_byte_of_a_voucher_is_one()
    {
        DateTimeOffset expires = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
        byte[] envelope = RelayVoucher.Seal(Hosts.Identity(1), Hosts.Peer(2), expires).Encoded.ToArray();

        RelayVoucher.TryOpen(envelope, out RelayVoucher? voucher).Should().BeTrue();
        (voucher!.Relay, voucher.Peer, voucher.Expires).Should().Be((Hosts.Peer(1), Hosts.Peer(2), expires));
        for (int index = 0; index < envelope.Length; index++)
        {
            RelayVoucher.TryOpen(envelope.AsSpan(0, index), out _).Should().BeFalse();
            byte[] flipped = [.. envelope];
            flipped[index] ^= 1;
            RelayVoucher.TryOpen(flipped, out _).Should().BeFalse($"byte {index} is signed, or says by whom");
        }
    }

    [Fact]
    public void A_voucher_that_names_another_relay_than_its_signer_is_none()
    {
        Wire.ProtobufWriter payload = new();
        payload.WriteBytes(1, Hosts.Peer(3).Bytes);
        payload.WriteBytes(2, Hosts.Peer(2).Bytes);
        payload.WriteUInt64(3, 1_800_000_000);
        SignedEnvelope forged = SignedEnvelope.Seal(Hosts.Identity(1), "libp2p-relay-rsvp", [0x03, 0x02], payload.Written);

        RelayVoucher.TryOpen(forged.Encoded.Span, out _).Should().BeFalse();
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
