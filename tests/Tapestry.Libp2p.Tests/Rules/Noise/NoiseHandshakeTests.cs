using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Libp2p.Noise;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Noise;

public sealed class NoiseHandshakeTests
{
    private readonly X25519Key _initiatorKey = Key(1);
    private readonly X25519Key _responderKey = Key(2);

    [Fact]
    public void A_point_of_small_order_is_refused_as_ephemeral_key()
    {
        using NoiseHandshake responder = new(false, default, _responderKey, Key(3));
        responder.ReadMessage(new byte[32], new byte[32], out _).Should().Be(Libp2pFault.None, "the first message is used only in the second");

        responder.WriteMessage([], new byte[NoiseHandshake.LengthBound(0)], out _).Should().Be(Libp2pFault.NoiseZeroSharedSecret);
    }

    [Fact]
    public void A_responder_with_a_point_of_small_order_is_refused()
    {
        using NoiseHandshake initiator = new(true, default, _initiatorKey, Key(3));
        initiator.WriteMessage([], new byte[NoiseHandshake.LengthBound(0)], out _);

        initiator.ReadMessage(new byte[96], new byte[96], out _).Should().Be(Libp2pFault.NoiseZeroSharedSecret);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    public void A_first_message_without_room_for_a_key_is_malformed(int length)
    {
        using NoiseHandshake responder = new(false, default, _responderKey, Key(3));

        responder.ReadMessage(new byte[length], new byte[length], out _).Should().Be(Libp2pFault.Malformed);
    }

    [Fact]
    public void Any_changed_byte_of_the_second_message_is_noticed()
    {
        byte[] second = SecondMessage(out _);
        for (int index = 0; index < second.Length; index++)
        {
            byte[] changed = [.. second];
            changed[index] ^= 0x40;

            // The highest bit of a key does not count (RFC 7748, section 5); every other one does.
            ReadSecond(changed).Should().Be(Libp2pFault.NoiseDecryption, "byte {0} was changed", index);
        }
    }

    [Theory]
    [InlineData(32)]
    [InlineData(79)]
    [InlineData(80)]
    [InlineData(95)]
    public void A_second_message_that_is_cut_off_is_malformed(int length) =>
        ReadSecond(SecondMessage(out _)[..length]).Should().Be(Libp2pFault.Malformed);

    [Fact]
    public void Different_prologues_do_not_meet()
    {
        using NoiseHandshake initiator = new(true, "a"u8, _initiatorKey, Key(3));
        using NoiseHandshake responder = new(false, "b"u8, _responderKey, Key(4));
        byte[] message = new byte[NoiseHandshake.LengthBound(0)];
        initiator.WriteMessage([], message, out int length);
        responder.ReadMessage(message.AsSpan(0, length), new byte[length], out _).Should().Be(Libp2pFault.None);
        responder.WriteMessage([], message, out length);

        initiator.ReadMessage(message.AsSpan(0, length), new byte[length], out _).Should().Be(Libp2pFault.NoiseDecryption);
    }

    [Fact]
    public void An_identity_is_proved_by_its_signature_of_the_static_key()
    {
        using Libp2pIdentity identity = Hosts.Identity(7);
        byte[] payload = NoisePayload.Write(identity, _initiatorKey.PublicKey, []);

        NoisePayload.Verify(payload, _initiatorKey.PublicKey, out PeerId? peer, out _).Should().Be(Libp2pFault.None);
        peer.Should().Be(identity.PeerId);
        NoisePayload.Verify(payload, _responderKey.PublicKey, out peer, out _).Should().Be(Libp2pFault.NoiseIdentitySignature, "another key was signed");
        peer.Should().BeNull();
    }

    [Fact]
    public void A_payload_may_hold_extensions_that_we_do_not_know()
    {
        using Libp2pIdentity identity = Hosts.Identity(7);
        byte[] payload = [.. NoisePayload.Write(identity, _initiatorKey.PublicKey, []), 0x22, 3, 0x12, 1, (byte)'x'];

        NoisePayload.Verify(payload, _initiatorKey.PublicKey, out _, out _).Should().Be(Libp2pFault.None);
    }

    [Theory]
    [InlineData("", Libp2pFault.Malformed)]
    [InlineData("0a", Libp2pFault.Malformed)]
    [InlineData("0a02080112", Libp2pFault.Malformed)]
    [InlineData("0a2508021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca991200", Libp2pFault.NoiseIdentitySignature)]
    [InlineData("0a2508021221057777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca991200", Libp2pFault.IdentityKeyRefused)]
    [InlineData("0a24080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e1200", Libp2pFault.NoiseIdentitySignature)]
    [InlineData("0a24080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e", Libp2pFault.NoiseIdentitySignature)]
    public void Payloads_that_prove_nothing_have_names(string hex, Libp2pFault fault) =>
        NoisePayload.Verify(Convert.FromHexString(hex), _initiatorKey.PublicKey, out _, out _).Should().Be(fault);

    private static X25519Key Key(byte number)
    {
        byte[] secret = new byte[X25519Key.Length];
        secret.AsSpan().Fill(number);
        return X25519Key.FromSecret(secret);
    }

    private byte[] SecondMessage(out NoiseHandshake initiator)
    {
        initiator = new NoiseHandshake(true, default, _initiatorKey, Key(3));
        using NoiseHandshake responder = new(false, default, _responderKey, Key(4));
        byte[] message = new byte[NoiseHandshake.LengthBound(0)];
        initiator.WriteMessage([], message, out int length);
        responder.ReadMessage(message.AsSpan(0, length), new byte[length], out _);
        responder.WriteMessage([], message, out length);
        return message[..length];
    }

    private Libp2pFault ReadSecond(byte[] message)
    {
        SecondMessage(out NoiseHandshake initiator);
        using (initiator)
        {
            return initiator.ReadMessage(message, new byte[message.Length], out _);
        }
    }
}
