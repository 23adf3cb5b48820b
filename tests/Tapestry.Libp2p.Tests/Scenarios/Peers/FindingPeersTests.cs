using System.Net;
using System.Net.Sockets;
using FluentAssertions;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios.Peers;

/// <summary>Hosts on loopback that learn where others are, and dial them by their id.</summary>
public sealed class FindingPeersTests
{
    private static readonly AddressBookOptions Quick = new() { Stagger = TimeSpan.FromMilliseconds(20), Seed = 1 };

    [Fact]
    public async Task After_identify_each_side_knows_the_record_of_the_other()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        Task<PeerId> atAlice = IdentifiedAsync(alice);
        PeerConnection connection = await bob.ConnectAsync(alice);

        (await connection.Identified)!.Record!.Peer.Should().Be(alice.PeerId);
        (await atAlice).Should().Be(bob.PeerId);
        bob.AddressBook.RecordOf(alice.PeerId)!.Record.Addresses.Should().Equal(alice.ListenAddresses[0].WithoutPeer());
        alice.AddressBook.RecordOf(bob.PeerId)!.Record.Addresses.Should().Equal(bob.ListenAddresses[0].WithoutPeer());
    }

    [Fact]
    public async Task A_record_that_a_third_passed_on_is_enough_to_dial()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        bob.AddressBook.TryAccept(alice.AddressBook.RecordOf(alice.PeerId)!.Envelope.Encoded.Span).Should().Be(RecordFault.None);

        PeerConnection connection = await bob.DialAsync(alice.PeerId, Hosts.Patience);

        connection.Remote.Should().Be(alice.PeerId);
        (await bob.DialAsync(alice.PeerId, Hosts.Patience)).Should().BeSameAs(connection);
        bob.AddressBook.AddressesOf(alice.PeerId)[0].LastReached.Should().BeTrue();
    }

    [Fact]
    public async Task A_peer_without_a_known_address_and_one_whose_addresses_rest_are_told_apart()
    {
        await using Libp2pHost bob = Hosts.Start(2, options => options with { AddressBook = Quick with { FirstRest = TimeSpan.FromMinutes(1) } });
        (await FaultOf(bob, Hosts.Peer(1))).Should().Be(Libp2pFault.Unreachable);
        bob.AddressBook.Pin(Hosts.Peer(1), [Free(), Free()]);
        (await FaultOf(bob, Hosts.Peer(1))).Should().Be(Libp2pFault.Unreachable);
        bob.AddressBook.AddressesOf(Hosts.Peer(1)).Should().OnlyContain(known => known.Failures == 1 && known.Rest > TimeSpan.Zero);
        (await FaultOf(bob, Hosts.Peer(1))).Should().Be(Libp2pFault.BackingOff);

        Func<Task> self = () => bob.DialAsync(bob.PeerId, Hosts.Patience);
        await self.Should().ThrowAsync<ArgumentException>();
    }

    [Fact]
    public async Task An_address_that_does_not_answer_holds_the_next_one_up_for_no_longer_than_the_stagger()
    {
        // A listener that accepts and says nothing: only the handshake's deadline of 10 s would end it.
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2, options => options with { AddressBook = Quick, HandshakeDeadline = TimeSpan.FromMinutes(5) });
        bob.AddressBook.Pin(alice.PeerId, [Multiaddr.From((IPEndPoint)silent.LocalEndpoint), alice.ListenAddresses[0]]);

        PeerConnection connection = await bob.DialAsync(alice.PeerId, Hosts.Patience);

        connection.RemoteAddress.Should().Be(alice.ListenAddresses[0].WithoutPeer());
        bob.AddressBook.AddressesOf(alice.PeerId)[0].Address.Should().Be(alice.ListenAddresses[0].WithoutPeer());
    }

    [Fact]
    public async Task Where_somebody_else_answers_is_left_alone_longest_and_the_right_one_is_found()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost other = Hosts.Start(3);
        await using Libp2pHost bob = Hosts.Start(2, options => options with { AddressBook = Quick with { Stagger = TimeSpan.FromMinutes(1) } });
        bob.AddressBook.Pin(alice.PeerId, [other.ListenAddresses[0].WithoutPeer(), alice.ListenAddresses[0]]);

        (await bob.DialAsync(alice.PeerId, Hosts.Patience)).Remote.Should().Be(alice.PeerId);

        bob.AddressBook.AddressesOf(alice.PeerId)[1].Rest.TotalSeconds.Should().BeInRange(140, 300);
    }

    [Fact]
    public async Task Dials_of_one_peer_at_once_share_one_connection()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        bob.AddressBook.Pin(alice.PeerId, [alice.ListenAddresses[0]]);

        PeerConnection[] connections = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => bob.DialAsync(alice.PeerId, Hosts.Patience)));

        connections.Distinct().Should().ContainSingle();
    }

    [Fact]
    public async Task A_new_protocol_and_a_new_address_are_pushed_together()
    {
        ManualTime time = new();
        await using Libp2pHost alice = Hosts.Start(1, options => options with { Time = time, PushDelay = TimeSpan.FromMilliseconds(200) });
        await using Libp2pHost bob = Hosts.Start(2);
        PeerConnection connection = await bob.ConnectAsync(alice);
        ulong before = (await connection.Identified)!.Record!.Record.Sequence;
        Multiaddr relayed = Multiaddr.Parse("/dns4/relay.example/tcp/4001");
        List<IdentifyMessage> pushes = [];
        TaskCompletionSource pushed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        bob.PeerIdentified += (_, message) =>
        {
            pushes.Add(message);
            pushed.TrySetResult();
        };

        alice.Handle("/new/1", (_, _, _) => Task.CompletedTask);
        alice.Announce("test", [relayed]);
        CancellationToken late = Hosts.Patience;
        while (!pushed.Task.IsCompleted)
        {
            // The pings keep the connection alive in a time that goes fast.
            time.Advance(TimeSpan.FromMilliseconds(200));
            await bob.PingAsync(alice.PeerId, late);
        }

        IdentifyMessage push = pushes.Should().ContainSingle().Which;
        push.Protocols.Should().Contain("/new/1");
        push.Record!.Record.Sequence.Should().BeGreaterThan(before);
        push.ListenAddresses.Should().Equal(alice.ListenAddresses[0].WithoutPeer(), relayed);
        bob.AddressBook.RecordOf(alice.PeerId)!.Record.Addresses.Should().Equal(push.ListenAddresses);
        (await connection.Identified)!.Protocols.Should().Contain("/new/1");

        alice.Announce("test", []);
        alice.AnnouncedAddresses.Should().Equal(alice.ListenAddresses[0].WithoutPeer());
    }

    [Fact]
    public async Task More_addresses_than_a_record_has_room_for_are_passed_over_and_the_rest_is_signed()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        string name = string.Join('.', Enumerable.Repeat(new string('x', 60), 4));
        Multiaddr[] long32 = [.. Enumerable.Range(1, 32).Select(number => Multiaddr.Parse($"/dns4/{name}.{number}/tcp/{number}"))];

        alice.Announce("relays", long32);
        alice.Announce("short", [Free()]);

        alice.AnnouncedAddresses.Should().HaveCountGreaterThan(8).And.HaveCountLessThan(32);
        alice.AnnouncedAddresses[0].Should().Be(alice.ListenAddresses[0].WithoutPeer());
        SignedPeerRecord record = alice.AddressBook.RecordOf(alice.PeerId)!;
        record.Record.Addresses.Should().Equal(alice.AnnouncedAddresses);
        SignedPeerRecord.TryOpen(record.Envelope.Encoded.Span, out _).Should().Be(RecordFault.None);
    }

    [Fact]
    public async Task What_is_announced_can_differ_from_where_we_listen()
    {
        Multiaddr outside = Multiaddr.Parse("/dns4/member.example/tcp/4610");
        await using Libp2pHost alice = Hosts.Start(1, options => options with { AnnounceAddresses = [outside] });
        await using Libp2pHost bob = Hosts.Start(2);
        IdentifyMessage told = (await (await bob.ConnectAsync(alice)).Identified)!;
        told.ListenAddresses.Should().Equal(outside);
        told.Record!.Record.Addresses.Should().Equal(outside);
    }

    [Fact]
    public async Task A_record_ages_and_is_signed_anew()
    {
        ManualTime time = new();
        await using Libp2pHost alice = Hosts.Start(1, options => options with { Time = time, RecordRefresh = TimeSpan.FromHours(1) });
        ulong Sequence() => alice.AddressBook.RecordOf(alice.PeerId)!.Record.Sequence;
        ulong first = Sequence();
        CancellationToken late = Hosts.Patience;
        while (Sequence() == first)
        {
            time.Advance(TimeSpan.FromMinutes(5));
            await Task.Delay(1, late);
        }
    }

    [Fact]
    public async Task Where_peers_see_us_is_collected()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        await using Libp2pHost carol = Hosts.Start(3);
        await (await alice.ConnectAsync(bob)).Identified;
        Task<PeerId> identified = IdentifiedAsync(alice);
        await (await carol.ConnectAsync(alice)).Identified;
        await identified;
        await Task.WhenAll(alice.Connections.Select(connection => connection.Identified));

        // Bob saw a port that was dialled from, which says nothing; carol dialled the one that we listen on.
        ObservedAddress observed = alice.ObservedAddresses.Should().ContainSingle().Which;
        observed.Address.Should().Be(alice.ListenAddresses[0].WithoutPeer());
        observed.Peers.Should().Be(2);
    }

    [Fact]
    public async Task Identify_in_ten_messages_is_read_as_one_and_a_malformed_one_spoils_all()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        byte[]? last = new IdentifyMessage { AgentVersion = "the last one" }.ToArray();
        alice.Handle("/ipfs/id/1.0.0", async (stream, _, ended) =>
        {
            for (int part = 0; part < 9; part++)
            {
                LengthPrefix.Write(stream.Output, new IdentifyMessage { Protocols = [$"/part/{part}"] }.ToArray());
            }

            LengthPrefix.Write(stream.Output, last);
            await stream.CompleteWriteAsync(ended);
            await StreamEnd.WaitAsync(stream.Input, ended);
        });

        IdentifyMessage? told = await (await bob.ConnectAsync(alice)).Identified;
        told!.Protocols.Should().HaveCount(9);
        told.AgentVersion.Should().Be("the last one");

        last = [0xff];
        await using Libp2pHost carol = Hosts.Start(3);
        (await (await carol.ConnectAsync(alice)).Identified).Should().BeNull();
    }

    [Fact]
    public async Task The_record_of_another_peer_in_identify_is_not_believed_of_this_one()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        SignedPeerRecord other = SignedPeerRecord.Sign(Hosts.Identity(9), 1, [Free()]);
        alice.Handle("/ipfs/id/1.0.0", async (stream, _, ended) =>
        {
            LengthPrefix.Write(stream.Output, new IdentifyMessage { Record = other }.ToArray());
            await stream.CompleteWriteAsync(ended);
            await StreamEnd.WaitAsync(stream.Input, ended);
        });

        await (await bob.ConnectAsync(alice)).Identified;

        bob.AddressBook.RecordOf(alice.PeerId).Should().BeNull();
        bob.AddressBook.RecordOf(Hosts.Peer(9)).Should().BeNull();
    }

    [Fact]
    public async Task Pushes_beyond_the_rate_are_reset_and_not_read()
    {
        ManualTime time = new();
        await using Libp2pHost alice = Hosts.Start(1, options => options with { Time = time, Limits = options.Limits with { PushesPerMinute = 3 } });
        await using Libp2pHost bob = Hosts.Start(2);
        PeerConnection connection = await bob.ConnectAsync(alice);
        for (int push = 0; push < 3; push++)
        {
            (await PushAsync(connection, push)).Should().Be(Libp2pFault.None);
        }

        TaskCompletionSource<Libp2pFault> refused = new();
        alice.StreamRefused += (_, refusal) => refused.TrySetResult(refusal.Fault);
        TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        alice.ConnectionClosed += (_, _) => closed.TrySetResult();
        await connection.CloseAsync();
        await closed.Task.WaitAsync(Hosts.Patience);
        connection = await bob.ConnectAsync(alice);
        (await PushAsync(connection, 3)).Should().Be(Libp2pFault.StreamReset, "it is the same peer, over whatever connection");
        (await refused.Task.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.RateLimit);
        time.Advance(TimeSpan.FromMinutes(1));
        (await PushAsync(connection, 4)).Should().Be(Libp2pFault.None);
        (await alice.Connections.Single().Identified)!.Protocols.Should().Equal("/push/4");
    }

    [Fact]
    public async Task Of_two_pushes_at_once_neither_is_lost()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        PeerConnection connection = await bob.ConnectAsync(alice);
        await connection.Identified;
        for (int round = 0; round < 2000; round++)
        {
            string text = $"{round}";
            Parallel.Invoke(
                () => connection.Update(new IdentifyMessage { ProtocolVersion = "", AgentVersion = text }),
                () => connection.Update(new IdentifyMessage { ProtocolVersion = text }));
            IdentifyMessage known = (await connection.Identified)!;
            (known.AgentVersion, known.ProtocolVersion).Should().Be((text, text));
        }
    }

    private static async Task<Libp2pFault> PushAsync(PeerConnection connection, int number)
    {
        try
        {
            await using Libp2pStream stream = await connection.OpenStreamAsync("/ipfs/id/push/1.0.0", Hosts.Patience);
            LengthPrefix.Write(stream.Output, new IdentifyMessage { Protocols = [$"/push/{number}"] }.ToArray());
            await stream.CompleteWriteAsync(Hosts.Patience);
            await StreamEnd.WaitAsync(stream.Input, Hosts.Patience);
            return Libp2pFault.None;
        }
        catch (Libp2pException end)
        {
            return end.Fault;
        }
    }

    private static Task<PeerId> IdentifiedAsync(Libp2pHost host)
    {
        TaskCompletionSource<PeerId> identified = new(TaskCreationOptions.RunContinuationsAsynchronously);
        host.PeerIdentified += (connection, _) => identified.TrySetResult(connection.Remote);
        return identified.Task.WaitAsync(Hosts.Patience);
    }

    private static async Task<Libp2pFault> FaultOf(Libp2pHost host, PeerId peer)
    {
        Func<Task> dial = () => host.DialAsync(peer, Hosts.Patience);
        return (await dial.Should().ThrowAsync<Libp2pException>()).Which.Fault;
    }

    /// <summary>An address of this machine where nobody listens.</summary>
    private static Multiaddr Free()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return Multiaddr.From((IPEndPoint)listener.LocalEndpoint);
    }
}
