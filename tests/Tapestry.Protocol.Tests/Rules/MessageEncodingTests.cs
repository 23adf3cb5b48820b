using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>specs/10-wire.md: one value, one byte string, for every message, value, plan and genesis.</summary>
public sealed class MessageEncodingTests
{
    [Fact]
    public void Decoding_what_was_encoded_gives_the_same_message() => ForSeeds(static samples =>
        samples.Messages().All(static message =>
            PeerMessage.TryRead(message.Encode().Span, out PeerMessage? read) == MessageFault.None && message.Equals(read)));

    [Fact]
    public void Every_signed_message_verifies_and_a_changed_place_breaks_it() => ForSeeds(static samples =>
        samples.Messages().OfType<PeerMessage.Signed>().All(static message =>
            message.Statement.Verify()
            && !(message.Statement with { Instance = message.Statement.Instance with { Round = message.Statement.Instance.Round ^ (1L << 40) } }).Verify()
            && !(message.Statement with { Author = Samples.Id(Samples.Key(99)) }).Verify()));

    [Fact]
    public void Decoding_what_was_encoded_gives_the_same_value() => ForSeeds(static samples =>
        samples.Values().All(static value => DecidedValue.TryRead(value.Encode().Span, out DecidedValue? read) && value.Equals(read)));

    [Fact]
    public void Decoding_what_was_encoded_gives_the_same_genesis_and_plan() => ForSeeds(static samples =>
    {
        Genesis genesis = samples.Genesis();
        return Genesis.TryRead(genesis.Encode().Span, out Genesis? read) && genesis.Equals(read)
            && Plan.TryRead(genesis.Plan.Encode().Span, out Plan? plan) && genesis.Plan.Equals(plan);
    });

    [Fact]
    public void No_other_form_of_a_message_is_read() => ForSeeds(static samples =>
        samples.Messages().All(static message => OtherForms.Of(message.Encode().ToArray())
            .All(static bytes => PeerMessage.TryRead(bytes, out _) != MessageFault.None)));

    [Fact]
    public void No_other_form_of_a_value_is_read() => ForSeeds(static samples =>
        samples.Values().All(static value => OtherForms.Of(value.Encode().ToArray())
            .All(static bytes => !DecidedValue.TryRead(bytes, out _))));

    [Fact]
    public void No_other_form_of_a_genesis_is_read() =>
        OtherForms.Of(new Samples(1).Genesis().Encode().ToArray()).Any(static bytes => Genesis.TryRead(bytes, out _)).Should().BeFalse();

    [Fact]
    public void What_is_read_from_changed_bytes_encodes_to_those_bytes() => ForSeeds(static samples =>
        samples.Messages().All(message => ChangedBytes.Of(message.Encode().ToArray(), samples.Some(1, 2, 3)).All(static bytes =>
            PeerMessage.TryRead(bytes, out PeerMessage? read) != MessageFault.None || read!.Encode().Span.SequenceEqual(bytes)))
        && samples.Values().All(value => ChangedBytes.Of(value.Encode().ToArray(), samples.Some(1, 2, 3)).All(static bytes =>
            !DecidedValue.TryRead(bytes, out DecidedValue? read) || read.Encode().Span.SequenceEqual(bytes))));

    [Fact]
    public void A_header_says_what_the_message_says() => ForSeeds(static samples => samples.Messages().All(static message =>
    {
        ByteString bytes = message.Encode();
        return MessageHeader.TryRead(bytes.Span, out MessageHeader? header) == MessageFault.None && header!.Bytes == bytes.Length && message switch
        {
            PeerMessage.Signed signed => header.Type == signed.Statement.Type && header.Author == signed.Statement.Author && signed.Statement.Instance.Equals(header.Instance),
            PeerMessage.Certified certified => header.Type == MessageType.Certificate && header.Author is null && certified.Certificate.Instance.Equals(header.Instance),
            _ => header is { Type: MessageType.Status or MessageType.Want, Author: null, Instance: null },
        };
    }));

    [Fact]
    public void A_plan_survives_its_text_form()
    {
        string text = System.Text.Json.JsonSerializer.Serialize(PlanDefaults.Small);
        System.Text.Json.JsonSerializer.Deserialize<Plan>(text).Should().Be(PlanDefaults.Small);
    }

    private static void ForSeeds(Func<Samples, bool> holds) =>
        Prop.ForAll<int>(ArbMap.Default.ArbFor<int>(), seed => holds(new Samples(seed))).Check(Config.QuickThrowOnFailure.WithMaxTest(40));
}
