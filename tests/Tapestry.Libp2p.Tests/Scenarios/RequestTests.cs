using System.Security.Cryptography;
using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

public sealed class RequestTests : IAsyncLifetime
{
    private const string Protocol = "/test/request/1";
    private static readonly RequestLimits Limits = new(MaximumResponseBytes: 1024, TimeSpan.FromSeconds(60));

    private readonly Libp2pHost _alice = Hosts.Start(1);
    private readonly Libp2pHost _bob = Hosts.Start(2);

    public async Task InitializeAsync() => await _bob.ConnectAsync(_alice);

    public async Task DisposeAsync()
    {
        await _alice.DisposeAsync();
        await _bob.DisposeAsync();
    }

    [Fact]
    public async Task The_handler_sees_who_asks_and_the_requester_sees_the_answer()
    {
        _alice.HandleRequests(Protocol, 16, (from, request, _) =>
            ValueTask.FromResult<ReadOnlyMemory<byte>?>(new byte[] { request.Span[0], from.Bytes[^1] }));

        ReadOnlyMemory<byte> response = await AskAsync(new byte[] { 42 });

        response.ToArray().Should().Equal(42, _bob.PeerId.Bytes[^1]);
    }

    [Fact]
    public async Task Requests_go_both_ways_over_one_connection_many_at_a_time()
    {
        RequestHandler echo = (_, request, _) => ValueTask.FromResult<ReadOnlyMemory<byte>?>(request);
        _alice.HandleRequests(Protocol, 1024, echo);
        _bob.HandleRequests(Protocol, 1024, echo);

        ReadOnlyMemory<byte>[] answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(number => number % 2 == 0
            ? _bob.RequestAsync(_alice.PeerId, Protocol, BitConverter.GetBytes(number), Limits, Hosts.Patience)
            : _alice.RequestAsync(_bob.PeerId, Protocol, BitConverter.GetBytes(number), Limits, Hosts.Patience)));

        answers.Select(answer => BitConverter.ToInt32(answer.Span)).Should().Equal(Enumerable.Range(0, 300));
        _alice.Connections.Should().ContainSingle();
        _bob.Connections.Should().ContainSingle();
    }

    [Fact]
    public async Task Empty_requests_and_answers_are_messages_too()
    {
        _alice.HandleRequests(Protocol, 0, (_, request, _) => ValueTask.FromResult<ReadOnlyMemory<byte>?>(request));

        (await AskAsync(default)).Length.Should().Be(0);
    }

    [Fact]
    public async Task Sixty_four_MiB_go_there_and_back_unchanged()
    {
        const int Bytes = 64 * 1024 * 1024;
        byte[] request = new byte[Bytes];
        new Random(7).NextBytes(request);
        _alice.HandleRequests(Protocol, Bytes, (_, received, _) => ValueTask.FromResult<ReadOnlyMemory<byte>?>(received));

        ReadOnlyMemory<byte> response = await _bob.RequestAsync(
            _alice.PeerId, Protocol, request, Limits with { MaximumResponseBytes = Bytes }, Hosts.Patience);

        SHA256.HashData(response.Span).Should().Equal(SHA256.HashData(request));
    }

    [Fact]
    public async Task An_oversized_answer_is_refused_by_its_length()
    {
        _alice.HandleRequests(Protocol, 16, (_, _, _) => ValueTask.FromResult<ReadOnlyMemory<byte>?>(new byte[1025]));

        await FaultsAsync(() => AskAsync(default), Libp2pFault.TooLarge);
    }

    [Fact]
    public async Task An_oversized_request_is_reset_before_the_handler_sees_it()
    {
        bool called = false;
        TaskCompletionSource<Libp2pFault> refused = new();
        _alice.StreamRefused += (_, refusal) => refused.TrySetResult(refusal.Fault);
        _alice.HandleRequests(Protocol, 16, (_, _, _) =>
        {
            called = true;
            return ValueTask.FromResult<ReadOnlyMemory<byte>?>(default(ReadOnlyMemory<byte>));
        });

        await FaultsAsync(() => AskAsync(new byte[17]), Libp2pFault.StreamReset);
        called.Should().BeFalse();
        (await refused.Task.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.TooLarge);
    }

    [Fact]
    public async Task A_handler_refuses_by_answering_null()
    {
        _alice.HandleRequests(Protocol, 16, (_, _, _) => ValueTask.FromResult<ReadOnlyMemory<byte>?>(null));

        await FaultsAsync(() => AskAsync(default), Libp2pFault.StreamReset);
    }

    [Fact]
    public async Task A_handlers_mistake_resets_its_stream_and_is_reported_and_nothing_else()
    {
        TaskCompletionSource<Exception> reported = new();
        _alice.HandlerFailed += (_, _, mistake) => reported.TrySetResult(mistake);
        _alice.HandleRequests(Protocol, 16, (_, _, _) => throw new InvalidOperationException("ours"));

        await FaultsAsync(() => AskAsync(default), Libp2pFault.StreamReset);

        (await reported.Task).Message.Should().Be("ours");
        (await _bob.PingAsync(_alice.PeerId, Hosts.Patience)).Should().BePositive("the connection goes on");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(100_000)]
    public async Task A_protocol_that_nobody_answers_is_not_supported(int requestBytes)
    {
        await FaultsAsync(() => AskAsync(new byte[requestBytes]), Libp2pFault.ProtocolNotSupported);
        await FaultsAsync(() => _bob.OpenStreamAsync(_alice.PeerId, Protocol, Hosts.Patience), Libp2pFault.ProtocolNotSupported);
    }

    [Fact]
    public async Task An_answer_after_the_deadline_is_too_late()
    {
        ManualTime time = new();
        await using Libp2pHost carol = Hosts.Start(3, options => options with { Time = time });
        await carol.ConnectAsync(_alice);
        TaskCompletionSource asked = new();
        TaskCompletionSource dropped = new();
        _alice.HandleRequests(Protocol, 16, async (_, _, ended) =>
        {
            asked.SetResult();
            await dropped.Task.WaitAsync(ended);
            return null;
        });

        Task<ReadOnlyMemory<byte>> answer = carol.RequestAsync(
            _alice.PeerId, Protocol, default, new RequestLimits(16, TimeSpan.FromSeconds(5)), Hosts.Patience);
        await asked.Task;
        time.Advance(TimeSpan.FromSeconds(5));

        await FaultsAsync(() => answer, Libp2pFault.DeadlinePassed);
        dropped.SetResult();
    }

    [Fact]
    public async Task Without_a_connection_there_is_nobody_to_ask() =>
        await FaultsAsync(() => _bob.RequestAsync(Hosts.Peer(9), Protocol, default, Limits, Hosts.Patience), Libp2pFault.Unreachable);

    [Fact]
    public async Task Frames_arrive_in_order_and_end_with_the_response()
    {
        _alice.HandleFrames(Protocol, 16, async (_, request, response, ended) =>
        {
            for (int number = 0; number < request.Span[0]; number++)
            {
                await response.WriteAsync(Enumerable.Repeat((byte)number, number * 1000).ToArray(), ended);
            }

            return true;
        });

        List<int> lengths = [];
        await foreach (ReadOnlyMemory<byte> frame in FramesAsync(new byte[] { 100 }, 99_000))
        {
            frame.Span.ContainsAnyExcept((byte)lengths.Count).Should().BeFalse();
            lengths.Add(frame.Length);
        }

        lengths.Should().Equal(Enumerable.Range(0, 100).Select(number => number * 1000));
    }

    [Fact]
    public async Task A_response_in_frames_that_is_broken_off_is_not_mistaken_for_a_short_one()
    {
        _alice.HandleFrames(Protocol, 16, async (_, _, response, ended) =>
        {
            await response.WriteAsync(new byte[] { 1 }, ended);
            return false;
        });

        await FaultsAsync(() => DrainAsync(100), Libp2pFault.StreamReset);
    }

    [Fact]
    public async Task An_oversized_frame_is_refused_by_its_length()
    {
        _alice.HandleFrames(Protocol, 16, async (_, _, response, ended) =>
        {
            await response.WriteAsync(new byte[101], ended);
            return true;
        });

        await FaultsAsync(() => DrainAsync(100), Libp2pFault.TooLarge);
    }

    [Fact]
    public async Task Leaving_early_stops_the_sender()
    {
        TaskCompletionSource<Libp2pFault> stopped = new();
        _alice.HandleFrames(Protocol, 16, async (_, _, response, ended) =>
        {
            try
            {
                while (true)
                {
                    await response.WriteAsync(new byte[1000], ended);
                }
            }
            catch (Libp2pException end)
            {
                stopped.SetResult(end.Fault);
                throw;
            }
        });

        await foreach (ReadOnlyMemory<byte> _ in FramesAsync(default, 1000))
        {
            break;
        }

        (await stopped.Task.WaitAsync(Hosts.Patience)).Should().Be(Libp2pFault.StreamReset);
    }

    private static async Task FaultsAsync(Func<Task> operation, Libp2pFault fault) =>
        (await operation.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(fault);

    private Task<ReadOnlyMemory<byte>> AskAsync(ReadOnlyMemory<byte> request) =>
        _bob.RequestAsync(_alice.PeerId, Protocol, request, Limits, Hosts.Patience);

    private IAsyncEnumerable<ReadOnlyMemory<byte>> FramesAsync(ReadOnlyMemory<byte> request, int maximumFrameBytes) =>
        _bob.RequestFramesAsync(_alice.PeerId, Protocol, request, Limits with { MaximumResponseBytes = maximumFrameBytes }, Hosts.Patience);

    private async Task DrainAsync(int maximumFrameBytes)
    {
        await foreach (ReadOnlyMemory<byte> _ in FramesAsync(default, maximumFrameBytes))
        {
        }
    }
}
