using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

/// <summary>Which connections stay, which go, and how they go.</summary>
public sealed class KeepingTests
{
    private const string Wait = "/test/wait/1";

    [Fact]
    public async Task Of_two_connections_both_sides_give_up_the_same_one_once_it_is_idle()
    {
        await using Libp2pHost alice = Hosts.Start(1, Quick);
        await using Libp2pHost bob = Hosts.Start(2, Quick);
        PeerId smaller = alice.PeerId.CompareTo(bob.PeerId) < 0 ? alice.PeerId : bob.PeerId;

        PeerConnection[] dialled = await Task.WhenAll(
            alice.ConnectWithoutLookingAsync(bob), bob.ConnectWithoutLookingAsync(alice));
        await UntilAsync(() => alice.Connections.Count == 1 && bob.Connections.Count == 1);

        PeerConnection kept = dialled[smaller == alice.PeerId ? 0 : 1];
        kept.Completion.IsCompleted.Should().BeFalse("the smaller peer id dialled it");
        (await dialled[smaller == alice.PeerId ? 1 : 0].Completion.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.None);
        (await alice.PingAsync(bob.PeerId, Hosts.Patience)).Should().BePositive();
        (await bob.PingAsync(alice.PeerId, Hosts.Patience)).Should().BePositive();
    }

    [Fact]
    public async Task A_surplus_connection_stays_as_long_as_a_stream_is_on_it()
    {
        await using Libp2pHost alice = Hosts.Start(1, Calm);
        await using Libp2pHost bob = Hosts.Start(2, Calm);
        TaskCompletionSource release = new();
        foreach (Libp2pHost host in new[] { alice, bob })
        {
            host.Handle(Wait, (_, _, ended) => release.Task.WaitAsync(ended));
        }

        PeerConnection[] dialled = await Task.WhenAll(
            alice.ConnectWithoutLookingAsync(bob), bob.ConnectWithoutLookingAsync(alice));
        PeerConnection surplus = dialled[alice.PeerId.CompareTo(bob.PeerId) < 0 ? 1 : 0];
        await using (await surplus.OpenStreamAsync(Wait, Hosts.Patience))
        {
            await UntilAsync(() => surplus.IsSurplus);
            await Task.Delay(TimeSpan.FromMilliseconds(2500), Hosts.Patience);
            surplus.Completion.IsCompleted.Should().BeFalse();
            release.SetResult();
        }

        (await surplus.Completion.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.None);
    }

    [Fact]
    public async Task When_the_connection_that_stayed_ends_the_surplus_one_takes_its_place()
    {
        await using Libp2pHost alice = Hosts.Start(1, Calm);
        await using Libp2pHost bob = Hosts.Start(2, Calm);
        TaskCompletionSource release = new();
        alice.Handle(Wait, (_, _, ended) => release.Task.WaitAsync(ended));
        bob.Handle(Wait, (_, _, ended) => release.Task.WaitAsync(ended));
        PeerConnection[] dialled = await Task.WhenAll(alice.ConnectWithoutLookingAsync(bob), bob.ConnectWithoutLookingAsync(alice));
        int keptOne = alice.PeerId.CompareTo(bob.PeerId) < 0 ? 0 : 1;
        PeerConnection surplus = dialled[1 - keptOne];
        await using Libp2pStream open = await surplus.OpenStreamAsync(Wait, Hosts.Patience);
        await UntilAsync(() => surplus.IsSurplus);

        await dialled[keptOne].CloseAsync();
        await UntilAsync(() => alice.Connections.Concat(bob.Connections).All(connection => !connection.IsSurplus)
            && alice.Connections.Count == 1 && bob.Connections.Count == 1);
        release.SetResult();
        await open.DisposeAsync();

        await Task.Delay(TimeSpan.FromMilliseconds(2500), Hosts.Patience);
        surplus.Completion.IsCompleted.Should().BeFalse("it is the only one");
    }

    [Fact]
    public async Task A_connection_without_streams_is_closed_unless_its_peer_is_protected_or_somebody_keeps_it()
    {
        await using Libp2pHost alice = Hosts.Start(1, QuickIdle);
        await using Libp2pHost bob = Hosts.Start(2);
        await using Libp2pHost carol = Hosts.Start(3, options => QuickIdle(options) with { Protects = peer => peer == Hosts.Peer(2) });
        await using Libp2pHost dave = Hosts.Start(4);

        PeerConnection unused = await alice.ConnectAsync(bob);
        PeerConnection isProtected = await carol.ConnectAsync(bob);
        TaskCompletionSource<IDisposable> keeping = new();
        carol.ConnectionOpened += opened =>
        {
            if (opened.Remote == dave.PeerId)
            {
                keeping.SetResult(opened.Keep());
            }
        };
        PeerConnection kept = await carol.ConnectAsync(dave);

        (await unused.Completion.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.None);
        await Task.Delay(TimeSpan.FromMilliseconds(300), Hosts.Patience);
        isProtected.Completion.IsCompleted.Should().BeFalse();
        kept.Completion.IsCompleted.Should().BeFalse();
        (await keeping.Task.WaitAsync(Hosts.Patience)).Dispose();
        (await kept.Completion.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.None);
    }

    [Fact]
    public async Task Leaving_lets_open_streams_finish_and_takes_no_new_ones()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        alice.Handle("/test/echo/1", async (stream, _, ended) =>
        {
            await stream.Input.CopyToAsync(stream.Output, ended);
            await stream.CompleteWriteAsync(ended);
        });
        PeerConnection connection = await bob.ConnectAsync(alice);
        await connection.Identified;
        Libp2pStream open = await connection.OpenStreamAsync("/test/echo/1", Hosts.Patience);
        PeerConnection atAlice = alice.FindConnection(bob.PeerId)!;

        Task leaving = connection.LeaveAsync(Hosts.Patience);
        (await FluentActions.Awaiting(() => connection.OpenStreamAsync("/test/echo/1", Hosts.Patience)).Should().ThrowAsync<Libp2pException>())
            .Which.Fault.Should().Be(Libp2pFault.ClosedLocally);
        await UntilAsync(() => atAlice.Muxed.IsLeaving);
        (await FluentActions.Awaiting(() => atAlice.OpenStreamAsync("/test/echo/1", Hosts.Patience)).Should().ThrowAsync<Libp2pException>())
            .Which.Fault.Should().Be(Libp2pFault.ConnectionLost);
        alice.FindConnection(bob.PeerId).Should().BeNull("it takes no more streams");

        await open.Output.WriteAsync(new byte[100_000], Hosts.Patience);
        await open.CompleteWriteAsync(Hosts.Patience);
        long echoed = 0;
        CancellationToken late = Hosts.Patience;
        while (true)
        {
            System.IO.Pipelines.ReadResult read = await open.Input.ReadAsync(late);
            echoed += read.Buffer.Length;
            open.Input.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
            {
                break;
            }
        }

        echoed.Should().Be(100_000);
        await open.DisposeAsync();
        await leaving.WaitAsync(Hosts.Patience);
        (await atAlice.Completion.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.None);
    }

    [Fact]
    public async Task Leaving_ends_what_is_still_open_at_its_deadline()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        TaskCompletionSource release = new();
        alice.Handle(Wait, (_, _, ended) => Task.Delay(Timeout.Infinite, ended));
        PeerConnection connection = await bob.ConnectAsync(alice);
        await using Libp2pStream open = await connection.OpenStreamAsync(Wait, Hosts.Patience);
        using CancellationTokenSource deadline = new();

        Task leaving = connection.LeaveAsync(deadline.Token);
        leaving.IsCompleted.Should().BeFalse();
        await deadline.CancelAsync();

        await leaving.WaitAsync(Hosts.Patience);
        (await FluentActions.Awaiting(async () => await open.Input.ReadAsync(Hosts.Patience)).Should().ThrowAsync<Libp2pException>())
            .Which.Fault.Should().Be(Libp2pFault.ClosedLocally);
    }

    private static Libp2pHostOptions Quick(Libp2pHostOptions options) =>
        options with { Limits = options.Limits with { IdleSurplusConnection = TimeSpan.FromMilliseconds(50) } };

    // Leaves a test the time to open a stream on a connection that is about to be given up.
    private static Libp2pHostOptions Calm(Libp2pHostOptions options) =>
        options with { Limits = options.Limits with { IdleSurplusConnection = TimeSpan.FromSeconds(1) } };

    private static Libp2pHostOptions QuickIdle(Libp2pHostOptions options) => options with
    {
        Limits = options.Limits with { IdleSurplusConnection = TimeSpan.FromMilliseconds(20), IdleConnection = TimeSpan.FromMilliseconds(60) },
    };

    private static async Task UntilAsync(Func<bool> condition)
    {
        CancellationToken late = Hosts.Patience;
        while (!condition())
        {
            await Task.Delay(1, late);
        }
    }
}
