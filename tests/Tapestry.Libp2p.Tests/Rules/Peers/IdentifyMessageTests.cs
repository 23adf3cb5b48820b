using System.Globalization;
using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Peers;

public sealed class IdentifyMessageTests
{
    private static readonly Multiaddr Address = Multiaddr.Parse("/ip4/192.0.2.7/tcp/4001");

    [Fact]
    public void A_signed_record_travels_in_field_8()
    {
        IdentifyMessage sent = new() { Record = SignedPeerRecord.Sign(Hosts.Identity(1), 7, [Address]) };
        IdentifyMessage.TryRead(sent.ToArray(), out IdentifyMessage? read).Should().BeTrue();
        read!.Record!.Record.Addresses.Should().Equal(Address);
        read.RecordFault.Should().Be(RecordFault.None);
    }

    [Fact]
    public void A_record_that_is_not_to_be_believed_is_named_and_the_rest_is_read()
    {
        byte[] envelope = SignedPeerRecord.Sign(Hosts.Identity(1), 7, [Address]).Envelope.Encoded.ToArray();
        envelope[^1] ^= 1;
        ProtobufWriter writer = new();
        writer.WriteText(6, "agent");
        writer.WriteBytes(8, envelope);
        IdentifyMessage.TryRead(writer.Written, out IdentifyMessage? read).Should().BeTrue();
        read!.Record.Should().BeNull();
        read.RecordFault.Should().Be(RecordFault.BadSignature);
        read.AgentVersion.Should().Be("agent");
    }

    [Fact]
    public void A_long_message_goes_in_two_with_the_record_alone_in_the_second()
    {
        IdentifyMessage small = new() { AgentVersion = "a", Record = SignedPeerRecord.Sign(Hosts.Identity(1), 7, [Address]) };
        small.ToParts().Should().HaveCount(1);

        IdentifyMessage large = small with { Protocols = Names(100) };
        IReadOnlyList<byte[]> parts = large.ToParts();
        parts.Should().HaveCount(2);
        IdentifyMessage[] read = [.. parts.Select(part => IdentifyMessage.TryRead(part, out IdentifyMessage? message) ? message : null!)];
        read[0].Record.Should().BeNull();
        IdentifyMessage joined = read[0].Joined(read[1]);
        joined.Protocols.Should().Equal(large.Protocols);
        joined.AgentVersion.Should().Be("a");
        joined.Record!.Record.Sequence.Should().Be(7);
    }

    [Fact]
    public void Joined_lists_lose_repetitions_and_keep_to_the_bound()
    {
        IdentifyMessage first = new() { Protocols = Names(100), ListenAddresses = [Address] };
        IdentifyMessage joined = first.Joined(first).Joined(new IdentifyMessage { Protocols = [.. Names(200).Skip(100)], ListenAddresses = [Address] });
        joined.Protocols.Should().HaveCount(IdentifyMessage.MaximumEntries).And.OnlyHaveUniqueItems();
        joined.ListenAddresses.Should().Equal(Address);
    }

    [Fact]
    public void Arbitrary_bytes_never_throw() =>
        Prop.ForAll<byte[]>(bytes => !IdentifyMessage.TryRead(bytes, out IdentifyMessage? read) || read.ToArray().Length > 0).QuickCheckThrowOnFailure();

    private static string[] Names(int count) => [.. Enumerable.Range(0, count).Select(number => string.Create(CultureInfo.InvariantCulture, $"/protocol/of/some/length/{number:000}"))];
}
