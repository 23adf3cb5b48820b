using System.Text;
using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Records;

public sealed class SignedEnvelopeTests
{
    private const string Domain = "test-domain";
    private static readonly byte[] PayloadType = [0x7f, 0x01];
    private static readonly byte[] Payload = Encoding.ASCII.GetBytes("what was said");

    [Fact]
    public void What_was_sealed_opens_to_the_same()
    {
        SignedEnvelope sealedOne = SignedEnvelope.Seal(Hosts.Identity(1), Domain, PayloadType, Payload);

        SignedEnvelope.TryOpen(sealedOne.Encoded.Span, Domain, PayloadType, out SignedEnvelope? opened).Should().Be(RecordFault.None);

        opened!.Signer.Should().Be(Hosts.Peer(1));
        opened.Payload.ToArray().Should().Equal(Payload);
        opened.Encoded.ToArray().Should().Equal(sealedOne.Encoded.ToArray());
    }

    [Fact]
    public void The_signature_covers_domain_type_and_payload_each_after_its_length()
    {
        // RFC 0002 of libp2p/specs, "Signature Production / Verification", put together by hand.
        byte[] signed = [11, .. Encoding.UTF8.GetBytes(Domain), 2, .. PayloadType, 13, .. Payload];
        byte[] signature = Hosts.Identity(1).Sign(signed).ToArray();

        Open(Encode(Hosts.Identity(1).PublicKey.Encoded, PayloadType, Payload, signature)).Should().Be(RecordFault.None);
    }

    [Fact]
    public void An_envelope_of_another_domain_is_refused() =>
        SignedEnvelope.TryOpen(Sealed(), "another-domain", PayloadType, out _).Should().Be(RecordFault.BadSignature);

    [Fact]
    public void An_envelope_of_another_type_is_refused() =>
        SignedEnvelope.TryOpen(Sealed(), Domain, [0x7f, 0x02], out _).Should().Be(RecordFault.WrongType);

    [Fact]
    public void The_signature_of_another_key_is_refused()
    {
        byte[] signed = [11, .. Encoding.UTF8.GetBytes(Domain), 2, .. PayloadType, 13, .. Payload];
        Open(Encode(Hosts.Identity(2).PublicKey.Encoded, PayloadType, Payload, Hosts.Identity(1).Sign(signed).ToArray()))
            .Should().Be(RecordFault.BadSignature);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(63)]
    [InlineData(65)]
    [InlineData(1024)]
    public void A_signature_of_another_length_is_refused(int length) =>
        Open(Encode(Hosts.Identity(1).PublicKey.Encoded, PayloadType, Payload, new byte[length])).Should().NotBe(RecordFault.None);

    [Fact]
    public void Unknown_fields_are_passed_over_and_not_passed_on()
    {
        byte[] encoded = Sealed();
        ProtobufWriter extra = new();
        extra.WriteBytes(9, new byte[100]);

        SignedEnvelope.TryOpen([.. encoded, .. extra.Written], Domain, PayloadType, out SignedEnvelope? opened).Should().Be(RecordFault.None);

        opened!.Encoded.ToArray().Should().Equal(encoded);
    }

    [Fact]
    public void Every_prefix_and_every_changed_byte_is_refused()
    {
        byte[] encoded = Sealed();
        for (int index = 0; index < encoded.Length; index++)
        {
            Open(encoded[..index]).Should().NotBe(RecordFault.None, $"only {index} bytes are there");
            byte[] changed = [.. encoded];
            changed[index] ^= 1;
            Open(changed).Should().NotBe(RecordFault.None, $"byte {index} is another");
        }
    }

    [Fact]
    public void Envelopes_beyond_the_bound_are_neither_read_nor_made()
    {
        Open(new byte[SignedEnvelope.MaximumLength + 1]).Should().Be(RecordFault.TooLarge);
        Action sealing = () => SignedEnvelope.Seal(Hosts.Identity(1), Domain, PayloadType, new byte[SignedEnvelope.MaximumLength]);
        sealing.Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Arbitrary_bytes_never_throw() =>
        Prop.ForAll<byte[]>(bytes => Open(bytes) != RecordFault.None).QuickCheckThrowOnFailure();

    private static byte[] Sealed() => SignedEnvelope.Seal(Hosts.Identity(1), Domain, PayloadType, Payload).Encoded.ToArray();

    private static RecordFault Open(byte[] bytes) => SignedEnvelope.TryOpen(bytes, Domain, PayloadType, out _);

    private static byte[] Encode(ReadOnlySpan<byte> key, ReadOnlySpan<byte> type, ReadOnlySpan<byte> payload, ReadOnlySpan<byte> signature)
    {
        ProtobufWriter writer = new();
        writer.WriteBytes(1, key);
        writer.WriteBytes(2, type);
        writer.WriteBytes(3, payload);
        writer.WriteBytes(5, signature);
        return writer.ToArray();
    }
}
