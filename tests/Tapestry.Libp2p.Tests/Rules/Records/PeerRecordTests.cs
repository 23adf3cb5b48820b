using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Records;

public sealed class PeerRecordTests
{
    private static readonly Multiaddr First = Multiaddr.Parse("/ip4/192.0.2.7/tcp/4001");
    private static readonly Multiaddr Second = Multiaddr.Parse("/dns4/peer.example/tcp/4002");

    [Fact]
    public void A_signed_record_opens_to_the_same()
    {
        SignedPeerRecord signed = SignedPeerRecord.Sign(Hosts.Identity(1), 7, [First, Second]);

        SignedPeerRecord.TryOpen(signed.Envelope.Encoded.Span, out SignedPeerRecord? opened).Should().Be(RecordFault.None);

        opened!.Peer.Should().Be(Hosts.Peer(1));
        opened.Record.Sequence.Should().Be(7);
        opened.Record.Addresses.Should().Equal(First, Second);
    }

    [Fact]
    public void A_record_about_another_peer_than_its_signer_is_refused()
    {
        PeerRecord stolen = new(Hosts.Peer(2), 1, [First]);
        Open(Seal(1, stolen.ToArray())).Should().Be(RecordFault.WrongPeer);
    }

    [Fact]
    public void A_record_under_the_domain_of_the_text_is_refused()
    {
        byte[] record = new PeerRecord(Hosts.Peer(1), 1, [First]).ToArray();
        SignedEnvelope other = SignedEnvelope.Seal(Hosts.Identity(1), "libp2p-routing-state", SignedPeerRecord.PayloadType, record);
        Open(other.Encoded).Should().Be(RecordFault.BadSignature);
    }

    [Fact]
    public void A_record_has_at_most_64_addresses_whether_we_can_use_them_or_not()
    {
        Open(Seal(1, WithAddresses(PeerRecord.MaximumAddresses, First.ToArray()))).Should().Be(RecordFault.None);
        Open(Seal(1, WithAddresses(PeerRecord.MaximumAddresses + 1, First.ToArray()))).Should().Be(RecordFault.TooManyAddresses);
        Open(Seal(1, WithAddresses(PeerRecord.MaximumAddresses + 1, [0xff]))).Should().Be(RecordFault.TooManyAddresses);
    }

    [Fact]
    public void Addresses_that_we_cannot_use_are_left_out()
    {
        byte[] udp = [4, 192, 0, 2, 7, 0x91, 0x02, 0x0f, 0xa1];
        SignedPeerRecord.TryOpen(Seal(1, [.. WithAddresses(1, udp), .. Addresses(1, First.ToArray())]).Span, out SignedPeerRecord? opened)
            .Should().Be(RecordFault.None);
        opened!.Record.Addresses.Should().Equal(First);
    }

    [Fact]
    public void Addresses_lose_the_peers_own_name_and_are_dropped_under_another()
    {
        byte[] record =
        [
            .. WithAddresses(1, First.WithPeer(Hosts.Peer(1)).ToArray()),
            .. Addresses(1, Second.WithPeer(Hosts.Peer(2)).ToArray()),
            .. Addresses(1, First.ToArray()),
        ];
        SignedPeerRecord.TryOpen(Seal(1, record).Span, out SignedPeerRecord? opened).Should().Be(RecordFault.None);
        opened!.Record.Addresses.Should().Equal(First);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0a00")] // an empty peer id
    [InlineData("1001")] // no peer id
    [InlineData("0a0112")] // a peer id cut short
    [InlineData("1aff")]
    public void Bytes_that_are_not_a_record_are_refused(string hex) =>
        Open(Seal(1, Convert.FromHexString(hex))).Should().Be(RecordFault.Malformed);

    [Fact]
    public void Every_prefix_of_a_signed_record_is_refused()
    {
        byte[] encoded = SignedPeerRecord.Sign(Hosts.Identity(1), ulong.MaxValue, [First, Second]).Envelope.Encoded.ToArray();
        Enumerable.Range(0, encoded.Length).Should().OnlyContain(length => Open(encoded.AsMemory(0, length)) != RecordFault.None);
    }

    [Fact]
    public void Arbitrary_signed_bytes_never_throw() =>
        Prop.ForAll<byte[]>(bytes => Open(Seal(1, bytes)) != RecordFault.None).QuickCheckThrowOnFailure();

    private static RecordFault Open(ReadOnlyMemory<byte> envelope) => SignedPeerRecord.TryOpen(envelope.Span, out _);

    private static ReadOnlyMemory<byte> Seal(byte identity, ReadOnlySpan<byte> record) =>
        SignedEnvelope.Seal(Hosts.Identity(identity), SignedPeerRecord.Domain, SignedPeerRecord.PayloadType, record).Encoded;

    private static byte[] WithAddresses(int count, byte[] address)
    {
        ProtobufWriter writer = new();
        writer.WriteBytes(1, Hosts.Peer(1).Bytes);
        writer.WriteUInt64(2, 1);
        return [.. writer.Written, .. Addresses(count, address)];
    }

    private static byte[] Addresses(int count, byte[] address)
    {
        ProtobufWriter writer = new();
        for (int index = 0; index < count; index++)
        {
            ProtobufWriter inner = new();
            inner.WriteBytes(1, address);
            writer.WriteBytes(3, inner.Written);
        }

        return writer.ToArray();
    }
}
