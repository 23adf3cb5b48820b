using System.Collections.Concurrent;
using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

/// <summary>Peers that open more streams than they may, or begin what they do not end.</summary>
public sealed class StreamLimitTests : IAsyncDisposable
{
    private const string Wait = "/test/wait/1";
    private const string Other = "/test/other/1";

    private readonly TaskCompletionSource _release = new();
    private readonly ConcurrentQueue<Libp2pException> _refused = new();
    private Libp2pHost? _alice;
    private int _waiting;

    public async ValueTask DisposeAsync()
    {
        _release.TrySetResult();
        if (_alice is not null)
        {
            await _alice.DisposeAsync();
        }
    }

    [Fact]
    public async Task Streams_of_a_peer_for_one_protocol_are_bounded_over_all_its_connections()
    {
        await using Libp2pHost bob = Start(new ResourceLimits { StreamsPerProtocol = 3 });
        PeerConnection[] connections = [await bob.ConnectAsync(_alice!), await bob.ConnectWithoutLookingAsync(_alice!)];
        for (int i = 0; i < 3; i++)
        {
            await connections[i % 2].OpenStreamAsync(Wait, Hosts.Patience);
        }

        // The answer to a proposal leaves before the stream is counted.
        await UntilAsync(() => Task.FromResult(Volatile.Read(ref _waiting) == 3));
        await RefusedAsync(connections[1], Wait, nameof(ResourceLimits.StreamsPerProtocol));
        await connections[1].OpenStreamAsync(Other, Hosts.Patience);

        _release.SetResult();
        await UntilAsync(async () => await bob.PingAsync(_alice!.PeerId, Hosts.Patience) > TimeSpan.Zero && await IsServedAsync(connections[1]));
    }

    [Fact]
    public async Task Streams_of_a_peer_are_bounded_over_all_protocols()
    {
        await using Libp2pHost bob = Start(new ResourceLimits { StreamsPerPeer = 4 });
        PeerConnection connection = await bob.ConnectAsync(_alice!);
        await connection.Identified;
        await _alice!.FindConnection(bob.PeerId)!.Identified;
        foreach (string protocol in new[] { Wait, Other, Wait, Other })
        {
            await connection.OpenStreamAsync(protocol, Hosts.Patience);
        }

        (await FluentActions.Awaiting(() => connection.OpenStreamAsync(Wait, Hosts.Patience)).Should().ThrowAsync<Libp2pException>())
            .Which.Fault.Should().Be(Libp2pFault.StreamReset);
        await RefusedAsync(nameof(ResourceLimits.StreamsPerPeer));
    }

    [Fact]
    public async Task Half_a_request_has_a_deadline_of_its_own()
    {
        ManualTime time = new();
        await using Libp2pHost bob = Start(new ResourceLimits { RequestDeadline = TimeSpan.FromSeconds(2) }, time);
        bool handled = false;
        _alice!.HandleRequests("/test/request/1", 1000, (_, _, _) =>
        {
            handled = true;
            return ValueTask.FromResult<ReadOnlyMemory<byte>?>(new byte[1]);
        });
        PeerConnection connection = await bob.ConnectAsync(_alice!);
        Libp2pStream half = await connection.OpenStreamAsync("/test/request/1", Hosts.Patience);
        await half.Output.WriteAsync(new byte[] { 100, 1, 2, 3 }, Hosts.Patience);
        CancellationToken late = Hosts.Patience;
        while (_refused.IsEmpty)
        {
            // The pings keep the connection alive in a time that goes fast.
            time.Advance(TimeSpan.FromSeconds(1));
            await bob.PingAsync(_alice.PeerId, late);
        }

        (await FluentActions.Awaiting(async () => await half.Input.ReadAsync(Hosts.Patience)).Should().ThrowAsync<Libp2pException>())
            .Which.Fault.Should().Be(Libp2pFault.StreamReset);
        _refused.Should().ContainSingle().Which.Fault.Should().Be(Libp2pFault.DeadlinePassed);
        handled.Should().BeFalse();
        (await bob.RequestAsync(_alice.PeerId, "/test/request/1", new byte[3], new RequestLimits(10, TimeSpan.FromSeconds(30)), Hosts.Patience)).Length.Should().Be(1);
    }

    [Fact]
    public async Task Streams_that_are_opened_and_reset_without_end_are_refused_beyond_a_rate()
    {
        ManualTime time = new();
        await using Libp2pHost bob = Start(new ResourceLimits { StreamsOpenedPerSecond = 20 }, time);
        PeerConnection connection = await bob.ConnectAsync(_alice!);
        int refused = 0;
        for (int i = 0; i < 50; i++)
        {
            refused += await IsServedAsync(connection, Other, andEnds: true) ? 0 : 1;
        }

        refused.Should().BeInRange(30, 31, "of 20 one is for identify");
        await UntilAsync(() => Task.FromResult(_refused.Count == refused));
        _refused.Should().OnlyContain(refusal => refusal.Fault == Libp2pFault.RateLimit);
        connection.Completion.IsCompleted.Should().BeFalse("a peer that is too fast loses streams, not its connection");

        time.Advance(TimeSpan.FromSeconds(1));
        (await IsServedAsync(connection, Other, andEnds: true)).Should().BeTrue();
    }

    [Fact]
    public async Task Streams_beyond_those_of_a_connection_are_refused_by_name()
    {
        await using Libp2pHost bob = Start(new ResourceLimits { StreamsPerConnection = 3 });
        PeerConnection connection = await bob.ConnectAsync(_alice!);
        await connection.Identified;
        await _alice!.FindConnection(bob.PeerId)!.Identified;
        while (await IsServedAsync(connection, Wait, andEnds: false))
        {
            // Until there are three.
        }

        await RefusedAsync(nameof(ResourceLimits.StreamsPerConnection));
    }

    [Fact]
    public async Task Windows_of_all_connections_together_are_bounded()
    {
        await using Libp2pHost bob = Start(new ResourceLimits { WindowBytes = 6 * 256 * 1024 });
        await using Libp2pHost carol = Hosts.Start(3);
        PeerConnection first = await bob.ConnectAsync(_alice!);
        PeerConnection second = await carol.ConnectAsync(_alice!);
        await Task.WhenAll(_alice!.Connections.Select(connection => connection.Identified).Concat([first.Identified, second.Identified]));
        List<Libp2pStream> open = [];
        Func<Task> opening = async () =>
        {
            CancellationToken late = Hosts.Patience;
            while (open.Count < 20)
            {
                open.Add(await (open.Count % 2 == 0 ? first : second).OpenStreamAsync(Wait, late));
            }
        };

        (await opening.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.StreamReset);
        open.Count.Should().BeInRange(4, 6, "streams of ours may still be closing");
        await UntilAsync(() => Task.FromResult(!_refused.IsEmpty));
        _refused.Should().ContainSingle().Which.Fault.Should().Be(Libp2pFault.ClosedLocally, "it is others who have the windows");

        await first.CloseAsync();
        await UntilAsync(async () => await IsServedAsync(second));
    }

    private static async Task<bool> IsServedAsync(PeerConnection connection, string protocol = Wait, bool andEnds = false)
    {
        try
        {
            Libp2pStream stream = await connection.OpenStreamAsync(protocol, Hosts.Patience);
            if (andEnds)
            {
                await stream.DisposeAsync();
            }

            return stream.Protocol == protocol;
        }
        catch (Libp2pException refusal) when (refusal.Fault is Libp2pFault.StreamReset)
        {
            return false;
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        CancellationToken late = Hosts.Patience;
        while (!await condition())
        {
            await Task.Delay(1, late);
        }
    }

    private Libp2pHost Start(ResourceLimits limits, TimeProvider? time = null)
    {
        _alice = Hosts.Start(1, options => options with { Limits = limits, Time = time ?? TimeProvider.System });
        _alice.Handle(Wait, (_, _, ended) =>
        {
            Interlocked.Increment(ref _waiting);
            return _release.Task.WaitAsync(ended);
        });
        _alice.Handle(Other, (_, _, ended) => _release.Task.WaitAsync(ended));
        _alice.StreamRefused += (_, refusal) => _refused.Enqueue(refusal);
        return Hosts.Start(2);
    }

    private async Task RefusedAsync(PeerConnection connection, string protocol, string limit)
    {
        // The reset may overtake the answer to the proposal.
        Func<Task> opening = async () =>
        {
            Libp2pStream stream = await connection.OpenStreamAsync(protocol, Hosts.Patience);
            await stream.Input.ReadAsync(Hosts.Patience);
        };
        (await opening.Should().ThrowAsync<Libp2pException>())
            .Which.Fault.Should().Be(Libp2pFault.StreamReset);
        await RefusedAsync(limit);
    }

    // The event comes after the reset.
    private async Task RefusedAsync(string limit)
    {
        await UntilAsync(() => Task.FromResult(!_refused.IsEmpty));
        _refused.Should().ContainSingle().Which.Message.Should().Contain(limit);
    }
}
