using System.IO.Pipelines;
using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Libp2p.Gossip;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>RPCs on the wire, and what is not one.</summary>
public sealed class GossipRpcTests
{
    private static readonly GossipLimits Limits = new();

    private static GossipRpc Everything => new()
    {
        Subscriptions = [new GossipSubscription("a", true), new GossipSubscription("b", false)],
        Messages = [SignedMessage.Sign(LoneRouter.Identity(1), "a", "data"u8, 1)],
        Have = [new GossipHave("a", [LoneRouter.Id(1), LoneRouter.Id(2)])],
        Want = [LoneRouter.Id(3)],
        Graft = ["a", "b"],
        Prune = [new GossipPrune("a", [new ExchangedPeer(LoneRouter.Peer(2), "record"u8.ToArray()), new ExchangedPeer(LoneRouter.Peer(3), default)], TimeSpan.FromSeconds(60))],
        DoNotWant = [LoneRouter.Id(4), LoneRouter.Id(5)],
    };

    [Fact]
    public void Everything_that_is_said_is_heard()
    {
        GossipRpc read = Read(GossipRpcWriter.Encode(Everything));

        read.Subscriptions.Should().Equal(Everything.Subscriptions);
        read.Messages.Single().Encoded.ToArray().Should().Equal(Everything.Messages[0].Encoded.ToArray());
        read.Have.Single().Topic.Should().Be("a");
        read.Have.Single().Ids.Should().Equal(Everything.Have[0].Ids);
        read.Want.Should().Equal(Everything.Want);
        read.Graft.Should().Equal("a", "b");
        read.Prune.Single().Backoff.Should().Be(TimeSpan.FromSeconds(60));
        read.Prune.Single().Peers.Select(peer => peer.Peer).Should().Equal(LoneRouter.Peer(2), LoneRouter.Peer(3));
        read.Prune.Single().Peers[0].SignedRecord.ToArray().Should().Equal("record"u8.ToArray());
        read.DoNotWant.Should().Equal(Everything.DoNotWant);
    }

    [Fact]
    public async Task A_stream_carries_the_same_bytes_behind_their_length()
    {
        Pipe pipe = new();
        int written = GossipRpcWriter.Write(pipe.Writer, Everything);
        await pipe.Writer.CompleteAsync();

        byte[] read = (await LengthPrefix.ReadAsync(pipe.Reader, Limits.RpcBytes, CancellationToken.None))!;

        read.Should().HaveCount(written);
        read.Should().Equal(GossipRpcWriter.Encode(Everything));
    }

    [Fact]
    public void The_bytes_are_those_of_the_specification()
    {
        GossipRpc rpc = new() { Subscriptions = [new GossipSubscription("ab", true)], Graft = ["ab"], Prune = [new GossipPrune("c", [], TimeSpan.FromSeconds(10))] };

        Convert.ToHexStringLower(GossipRpcWriter.Encode(rpc)).Should().Be(
            "0a06" + "0801" + "12026162" + // subscriptions { subscribe: true, topicid: "ab" }
            "1a0d" + "1a04" + "0a026162" + // control { graft { topicID: "ab" }
            "2205" + "0a0163" + "180a"); //             prune { topicID: "c", backoff: 10 } }
    }

    [Fact]
    public void Ids_that_we_do_not_want_go_in_lists_of_512_which_js_reads()
    {
        GossipId[] ids = [.. Enumerable.Range(0, 600).Select(LoneRouter.Id)];
        byte[] encoded = GossipRpcWriter.Encode(new GossipRpc { DoNotWant = ids });

        Read(encoded).DoNotWant.Should().Equal(ids);
        ProtobufReader outer = new(encoded);
        outer.TryReadTag();
        ProtobufReader control = new(outer.ReadBytes(encoded.Length));
        int lists = 0;
        while (control.TryReadTag())
        {
            control.SkipValue();
            lists++;
        }

        lists.Should().Be(2);
    }

    [Fact]
    public void What_later_versions_say_is_passed_over()
    {
        byte[] control = [.. Field(6, "extensions"u8), .. Field(3, Field(1, "t"u8))];
        Read([.. Field(9, "later"u8), .. Field(3, control)]).Graft.Should().Equal("t");
    }

    [Fact]
    public void A_recommended_peer_whose_id_we_cannot_read_is_passed_over()
    {
        byte[] prune = [.. Field(1, "t"u8), .. Field(2, Field(1, "no peer id"u8)), .. Field(2, Field(1, LoneRouter.Peer(4).Bytes))];
        Read(Field(3, Field(4, prune))).Prune.Single().Peers.Select(peer => peer.Peer).Should().Equal(LoneRouter.Peer(4));
    }

    public static TheoryData<string, byte[]> Malformed => new()
    {
        { "subscription without topic", Field(1, [0x08, 1]) },
        { "subscription of a long topic", Field(1, Field(2, new byte[Limits.TopicBytes + 1])) },
        { "message without topic", Field(2, Field(2, "data"u8)) },
        { "IHAVE without topic", Field(3, Field(1, Field(2, "id"u8))) },
        { "GRAFT without topic", Field(3, Field(3, [])) },
        { "PRUNE without topic", Field(3, Field(4, [])) },
        { "topic that is no text", Field(3, Field(3, Field(1, [0xFF]))) },
        { "long id in IHAVE", Field(3, Field(1, [.. Field(1, "t"u8), .. Field(2, new byte[Limits.MessageIdBytes + 1])])) },
        { "long id in IWANT", Field(3, Field(2, Field(1, new byte[Limits.MessageIdBytes + 1]))) },
        { "long id in IDONTWANT", Field(3, Field(5, Field(1, new byte[Limits.MessageIdBytes + 1]))) },
        { "long record in PRUNE", Field(3, Field(4, [.. Field(1, "t"u8), .. Field(2, Field(2, new byte[Limits.PeerRecordBytes + 1]))])) },
        { "control that is a number", [0x18, 1] },
        { "cut short", GossipRpcWriter.Encode(Everything)[..^1] },
        { "group", [0x0B] },
        { "field number 0", [0x02, 0] },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_is_no_rpc_is_malformed(string what, byte[] bytes) =>
        GossipRpcReader.TryRead(bytes, Limits, out _).Should().Be(GossipFault.RpcMalformed, what);

    [Fact]
    public void An_rpc_has_bounds_on_its_bytes_and_its_entries()
    {
        GossipRpcReader.TryRead(new byte[Limits.RpcBytes + 1], Limits, out _).Should().Be(GossipFault.RpcTooLarge);
        byte[] ids = [.. Enumerable.Repeat(Field(1, "i"u8), Limits.EntriesPerRpc - 1).SelectMany(id => id)];
        GossipRpcReader.TryRead(Field(3, Field(2, ids)), Limits, out _).Should().Be(GossipFault.None);
        GossipRpcReader.TryRead(Field(3, Field(2, [.. ids, .. Field(1, "i"u8)])), Limits, out _).Should().Be(GossipFault.RpcMalformed);
        byte[] subscriptions = [.. Enumerable.Repeat(Field(1, Field(2, "t"u8)), Limits.EntriesPerRpc + 1).SelectMany(entry => entry)];
        GossipRpcReader.TryRead(subscriptions, Limits, out _).Should().Be(GossipFault.RpcMalformed);
    }

    [Fact]
    public void Any_bytes_are_read_or_refused_without_harm()
    {
        byte[] valid = GossipRpcWriter.Encode(Everything);
        Prop.ForAll<byte[]>(bytes => Refuses(bytes)).QuickCheckThrowOnFailure();
        Prop.ForAll<int, byte>((place, value) =>
        {
            byte[] changed = [.. valid];
            changed[(place & int.MaxValue) % changed.Length] = value;
            return Refuses(changed);
        }).QuickCheckThrowOnFailure();
    }

    private static bool Refuses(byte[] bytes) => GossipRpcReader.TryRead(bytes, Limits, out GossipRpc? rpc) == GossipFault.None == rpc is not null;

    private static GossipRpc Read(byte[] bytes)
    {
        GossipRpcReader.TryRead(bytes, Limits, out GossipRpc? rpc).Should().Be(GossipFault.None);
        return rpc!;
    }

    private static byte[] Field(int number, ReadOnlySpan<byte> value)
    {
        ProtobufWriter writer = new();
        writer.WriteBytes(number, value);
        return writer.ToArray();
    }
}
