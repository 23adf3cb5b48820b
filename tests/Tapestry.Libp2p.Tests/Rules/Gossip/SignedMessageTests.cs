using System.Buffers.Binary;
using System.Text;
using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>StrictSign: which messages are believed, and what exactly is signed.</summary>
public sealed class SignedMessageTests
{
    private static readonly GossipLimits Limits = new();
    private static readonly Libp2pIdentity Alice = LoneRouter.Identity(1);
    private static readonly Libp2pIdentity Bob = LoneRouter.Identity(2);
    private static readonly byte[] Data = "what alice says"u8.ToArray();

    [Fact]
    public void What_was_signed_verifies_after_the_wire()
    {
        SignedMessage signed = SignedMessage.Sign(Alice, "topic", Data, 7);

        SignedMessage read = Read(signed.Encoded.ToArray());

        read.TryVerify(Bob.PeerId, out GossipMessage? message).Should().Be(GossipFault.None);
        message!.Author.Should().Be(Alice.PeerId);
        message.Sender.Should().Be(Bob.PeerId);
        message.Topic.Should().Be("topic");
        message.Sequence.Should().Be(7);
        message.Data.ToArray().Should().Equal(Data);
        message.Id.Bytes.ToArray().Should().Equal([.. Alice.PeerId.Bytes, 0, 0, 0, 0, 0, 0, 0, 7], "js and go name messages so");
    }

    [Fact]
    public void Signed_are_the_prefix_and_the_message_without_signature_and_key()
    {
        byte[] signed = SignedMessage.Sign(Alice, "topic", Data, 7).Encoded.ToArray();
        byte[] unsigned = Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", [], []);
        byte[] signature = Alice.Sign([.. "libp2p-pubsub:"u8, .. unsigned]).ToArray();

        signed.Should().Equal(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", signature, []));
    }

    [Fact]
    public void A_key_beside_the_signature_is_not_signed_and_may_be_there_as_js_sends_it()
    {
        byte[] signature = Signature(Alice, Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", [], []));

        Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", signature, Alice.PublicKey.Encoded)).Should().Be(GossipFault.None);
    }

    [Fact]
    public void Empty_data_and_fields_that_we_do_not_know_are_signed_too()
    {
        byte[] unknown = [.. Field(9, "later"u8), 0x50, 5];
        byte[] body = Fields(Alice.PeerId.Bytes, [], Sequence(7), "topic", [], []);
        byte[] signature = Signature(Alice, [.. body, .. unknown]);

        SignedMessage read = Read([.. Fields(Alice.PeerId.Bytes, [], Sequence(7), "topic", signature, []), .. unknown]);

        read.TryVerify(Bob.PeerId, out _).Should().Be(GossipFault.None);
        Verify(Fields(Alice.PeerId.Bytes, [], Sequence(7), "topic", signature, [])).Should().Be(GossipFault.SignatureInvalid, "somebody cut them off");
    }

    [Fact]
    public void Fields_in_another_order_or_twice_count_as_their_last_and_are_forwarded_in_order()
    {
        byte[] canonical = SignedMessage.Sign(Alice, "topic", Data, 7).Encoded.ToArray();
        SignedMessage signed = Read(canonical);
        byte[] mixed =
        [
            .. Field(5, signed.Signature.Span), .. Field(2, "overwritten"u8), .. Field(4, "topic"u8), .. Field(2, Data),
            .. Field(3, signed.Sequence.Span), .. Field(1, signed.From.Span),
        ];

        SignedMessage read = Read(mixed);

        read.Encoded.ToArray().Should().Equal(canonical);
        read.TryVerify(Bob.PeerId, out _).Should().Be(GossipFault.None);
    }

    [Theory]
    [InlineData(1, GossipFault.SignatureMissing)]
    [InlineData(3, GossipFault.SignatureMissing)]
    [InlineData(5, GossipFault.SignatureMissing)]
    public void A_missing_author_number_or_signature_is_found_without_cryptography(int missing, GossipFault fault)
    {
        byte[] signature = Signature(Alice, Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", [], []));
        byte[] message = Fields(
            missing == 1 ? [] : Alice.PeerId.Bytes, Data, missing == 3 ? [] : Sequence(7), "topic", missing == 5 ? [] : signature, []);

        Read(message).Inspect(Limits).Should().Be(fault);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(9)]
    public void A_sequence_number_has_eight_bytes(int length)
    {
        byte[] sequence = new byte[length];
        byte[] signature = Signature(Alice, Fields(Alice.PeerId.Bytes, Data, sequence, "topic", [], []));
        SignedMessage read = Read(Fields(Alice.PeerId.Bytes, Data, sequence, "topic", signature, []));

        read.Inspect(Limits).Should().Be(GossipFault.SequenceLength);
        read.TryVerify(Bob.PeerId, out GossipMessage? message).Should().Be(GossipFault.SequenceLength);
        message.Should().BeNull();
    }

    [Fact]
    public void Data_beyond_the_bound_is_a_fault_of_the_message_and_not_of_the_rpc()
    {
        Read(SignedMessage.Sign(Alice, "topic", new byte[Limits.MessageDataBytes], 1).Encoded.ToArray()).Inspect(Limits).Should().Be(GossipFault.None);
        Read(SignedMessage.Sign(Alice, "topic", new byte[Limits.MessageDataBytes + 1], 1).Encoded.ToArray()).Inspect(Limits).Should().Be(GossipFault.MessageTooLarge);
    }

    [Fact]
    public void Any_changed_byte_of_the_contents_breaks_the_signature()
    {
        byte[] encoded = SignedMessage.Sign(Alice, "topic", Data, 7).Encoded.ToArray();
        int dataAt = encoded.AsSpan().IndexOf(Data);
        int topicAt = encoded.AsSpan().IndexOf("topic"u8);
        foreach (int place in (int[])[dataAt, dataAt + Data.Length + 9, topicAt, encoded.Length - 1, encoded.Length - 64])
        {
            byte[] changed = [.. encoded];
            changed[place] ^= 1;
            Verify(changed).Should().Be(GossipFault.SignatureInvalid, $"byte {place} of {encoded.Length} was changed");
        }
    }

    [Fact]
    public void Another_peers_signature_or_key_does_not_make_it_alices()
    {
        byte[] body = Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", [], []);
        Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", Signature(Bob, body), [])).Should().Be(GossipFault.SignatureInvalid);
        Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", Signature(Bob, body), Bob.PublicKey.Encoded)).Should().Be(GossipFault.KeyMismatch);
        Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", Signature(Alice, body), "no key"u8)).Should().Be(GossipFault.KeyMismatch);
    }

    [Fact]
    public void An_author_that_is_no_peer_id_is_none()
    {
        byte[] body = Fields("nobody"u8, Data, Sequence(7), "topic", [], []);
        Verify(Fields("nobody"u8, Data, Sequence(7), "topic", Signature(Alice, body), [])).Should().Be(GossipFault.AuthorMalformed);
    }

    [Fact]
    public void An_author_whose_id_is_a_hash_must_bring_the_key()
    {
        byte[] hashed = [0x12, 0x20, .. System.Security.Cryptography.SHA256.HashData(Alice.PublicKey.Encoded)];
        byte[] body = Fields(hashed, Data, Sequence(7), "topic", [], []);
        Verify(Fields(hashed, Data, Sequence(7), "topic", Signature(Alice, body), [])).Should().Be(GossipFault.KeyMismatch);
    }

    [Fact]
    public void A_known_author_is_believed_no_more_easily_than_an_unknown_one()
    {
        AuthorKeys keys = new(10);
        byte[] body = Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", [], []);
        byte[] signature = Signature(Alice, body);
        for (int time = 0; time < 2; time++)
        {
            Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", signature, []), keys).Should().Be(GossipFault.None);
            Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", signature, Alice.PublicKey.Encoded), keys).Should().Be(GossipFault.None);
            Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", Signature(Bob, body), []), keys).Should().Be(GossipFault.SignatureInvalid);
            Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", Signature(Bob, body), Bob.PublicKey.Encoded), keys).Should().Be(GossipFault.KeyMismatch);
            Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", signature.AsSpan(1), []), keys).Should().Be(GossipFault.SignatureInvalid);
            keys.Find(Alice.PeerId).Should().NotBeNull();
            keys.Find(Bob.PeerId).Should().BeNull();
        }
    }

    [Fact]
    public void Only_so_many_authors_keys_are_remembered()
    {
        AuthorKeys keys = new(2);
        foreach (Libp2pIdentity author in (Libp2pIdentity[])[Alice, Bob, LoneRouter.Identity(3), Bob])
        {
            keys.Add(author.PeerId);
        }

        keys.Find(Alice.PeerId).Should().BeNull();
        keys.Find(Bob.PeerId).Should().NotBeNull();
    }

    [Fact]
    public void Signatures_of_other_lengths_are_invalid()
    {
        byte[] body = Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", [], []);
        byte[] signature = Signature(Alice, body);
        Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", signature.AsSpan(1), [])).Should().Be(GossipFault.SignatureInvalid);
        Verify(Fields(Alice.PeerId.Bytes, Data, Sequence(7), "topic", [.. signature, 0], [])).Should().Be(GossipFault.SignatureInvalid);
    }

    [Theory]
    [InlineData("no topic")]
    [InlineData("empty topic")]
    [InlineData("topic that is no text")]
    [InlineData("long topic")]
    [InlineData("long author")]
    [InlineData("unknown fields between known ones, in two runs")]
    [InlineData("field of another type")]
    [InlineData("cut short")]
    public void Malformed_messages_are_not_read(string what)
    {
        byte[] whole = SignedMessage.Sign(Alice, "topic", Data, 7).Encoded.ToArray();
        byte[] bytes = what switch
        {
            "no topic" => [.. Field(1, Alice.PeerId.Bytes), .. Field(2, Data)],
            "empty topic" => [.. Field(1, Alice.PeerId.Bytes), .. Field(4, [])],
            "topic that is no text" => Field(4, [0xC3, 0x28]),
            "long topic" => Field(4, new byte[Limits.TopicBytes + 1]),
            "long author" => [.. Field(1, new byte[PeerId.MaximumLength + 1]), .. Field(4, "t"u8)],
            "unknown fields between known ones, in two runs" => [.. Field(7, []), .. Field(4, "t"u8), .. Field(7, [])],
            "field of another type" => [0x20, 1],
            _ => whole[..^1],
        };

        SignedMessage.TryRead(bytes, Limits, out _).Should().BeFalse();
    }

    private static GossipFault Verify(byte[] encoded) => Read(encoded).TryVerify(Bob.PeerId, out _);

    private static GossipFault Verify(byte[] encoded, AuthorKeys keys) => Read(encoded).TryVerify(Bob.PeerId, keys, out _);

    private static SignedMessage Read(byte[] encoded)
    {
        SignedMessage.TryRead(encoded, Limits, out SignedMessage? message).Should().BeTrue();
        return message!;
    }

    private static byte[] Signature(Libp2pIdentity identity, byte[] body) => identity.Sign([.. "libp2p-pubsub:"u8, .. body]).ToArray();

    private static byte[] Sequence(ulong number)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        return bytes;
    }

    private static byte[] Fields(
        ReadOnlySpan<byte> from, ReadOnlySpan<byte> data, ReadOnlySpan<byte> sequence, string topic, ReadOnlySpan<byte> signature, ReadOnlySpan<byte> key) =>
    [
        .. from.IsEmpty ? [] : Field(1, from), .. data.IsEmpty ? [] : Field(2, data), .. sequence.IsEmpty ? [] : Field(3, sequence),
        .. Field(4, Encoding.UTF8.GetBytes(topic)), .. signature.IsEmpty ? [] : Field(5, signature), .. key.IsEmpty ? [] : Field(6, key),
    ];

    private static byte[] Field(int number, ReadOnlySpan<byte> value)
    {
        ProtobufWriter writer = new();
        writer.WriteBytes(number, value);
        return writer.ToArray();
    }
}
