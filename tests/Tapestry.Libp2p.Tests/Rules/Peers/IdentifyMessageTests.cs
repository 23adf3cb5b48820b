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
        IdentifyMessage.TryRead(parts[0], out IdentifyMessage? first).Should().BeTrue();
        first!.Record.Should().BeNull();
        IdentifyMessage.TryRead(parts, out IdentifyMessage? joined).Should().BeTrue();
        joined!.Protocols.Should().Equal(large.Protocols);
        joined.AgentVersion.Should().Be("a");
        joined.Record!.Record.Sequence.Should().Be(7);
    }

    [Fact]
    public void Joined_lists_lose_repetitions_and_keep_to_the_bound()
    {
        byte[] first = new IdentifyMessage { Protocols = Names(100), ListenAddresses = [Address] }.ToArray();
        byte[] last = new IdentifyMessage { Protocols = [.. Names(200).Skip(100)], ListenAddresses = [Address] }.ToArray();
        IdentifyMessage.TryRead([first, first, last], out IdentifyMessage? joined).Should().BeTrue();
        joined!.Protocols.Should().HaveCount(IdentifyMessage.MaximumEntries).And.OnlyHaveUniqueItems();
        joined.ListenAddresses.Should().Equal(Address);
    }

    [Fact]
    public void However_many_records_are_sent_one_is_opened()
    {
        byte[] last = new IdentifyMessage { Record = SignedPeerRecord.Sign(Hosts.Identity(1), 70, [Address]) }.ToArray();
        ProtobufWriter writer = new();
        for (ulong sequence = 1; sequence < 40; sequence++)
        {
            writer.WriteBytes(8, SignedPeerRecord.Sign(Hosts.Identity(1), sequence, [Address]).Envelope.Encoded.Span);
        }

        byte[] many = writer.ToArray();
        IReadOnlyList<byte[]> one = [last];
        IReadOnlyList<byte[]> all = [many, many, last];
        AllocatedBy(one, out _);

        long byAll = AllocatedBy(all, out IdentifyMessage? read);

        // Whoever opens an envelope copies it: nothing else tells from outside how many were.
        byAll.Should().BeLessThan(2 * AllocatedBy(one, out _));
        read!.Record!.Record.Sequence.Should().Be(70);
    }

    [Fact]
    public void Arbitrary_bytes_never_throw() =>
        Prop.ForAll<byte[]>(bytes => !IdentifyMessage.TryRead(bytes, out IdentifyMessage? read) || read.ToArray().Length > 0).QuickCheckThrowOnFailure();

    private static long AllocatedBy(IReadOnlyList<byte[]> parts, out IdentifyMessage? read)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        IdentifyMessage.TryRead(parts, out read).Should().BeTrue();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static string[] Names(int count) => [.. Enumerable.Range(0, count).Select(number => string.Create(CultureInfo.InvariantCulture, $"/protocol/of/some/length/{number:000}"))];
}
