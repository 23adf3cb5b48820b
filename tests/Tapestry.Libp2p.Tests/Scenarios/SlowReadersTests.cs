using System.Collections.Concurrent;
using FluentAssertions;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

/// <summary>Peers that ask, and then do not take the answer.</summary>
public sealed class SlowReadersTests : IAsyncDisposable
{
    private const string Protocol = "/test/frames/1";

    private readonly ConcurrentQueue<Libp2pException> _refused = new();
    private readonly Libp2pHost _bob = Hosts.Start(2);
    private Libp2pHost? _alice;

    private CancellationToken Late { get; } = Hosts.Patience;

    public async ValueTask DisposeAsync()
    {
        await _bob.DisposeAsync();
        if (_alice is not null)
        {
            await _alice.DisposeAsync();
        }
    }

    [Fact]
    public async Task Who_asks_and_does_not_read_loses_the_stream()
    {
        PeerConnection connection = await ConnectAsync(Impatient);
        TaskCompletionSource<Libp2pFault> ended = new();
        _alice!.HandleFrames(Protocol, 16, async (_, _, response, cancelled) =>
        {
            try
            {
                while (true)
                {
                    await response.WriteAsync(new byte[100_000], cancelled);
                }
            }
            catch (Libp2pException end)
            {
                ended.SetResult(end.Fault);
                throw;
            }
        });

        await AskAsync(connection);

        (await ended.Task.WaitAsync(Late)).Should().Be(Libp2pFault.DeadlinePassed);
        await RefusedAsync();
        (await _bob.PingAsync(_alice.PeerId, Late)).Should().BePositive("the connection goes on");
    }

    [Fact]
    public async Task Who_reads_and_does_not_end_its_side_loses_the_stream()
    {
        PeerConnection connection = await ConnectAsync(Impatient);
        _alice!.HandleRequests(Protocol, 16, (_, _, _) => ValueTask.FromResult<ReadOnlyMemory<byte>?>(new byte[3]));

        Libp2pStream stream = await AskAsync(connection);

        (await LengthPrefix.ReadAsync(stream.Input, 3, Late)).Should().HaveCount(3);
        await RefusedAsync();
    }

    [Fact]
    public async Task Who_asks_who_we_are_and_stays_loses_the_stream()
    {
        ManualTime time = new();
        PeerConnection connection = await ConnectAsync(options => options with { Time = time });
        await connection.Identified;
        Libp2pStream stream = await connection.OpenStreamAsync(IdentifyProtocol.Id, Late);
        await LengthPrefix.ReadAsync(stream.Input, IdentifyMessage.MaximumLength, Late);

        time.Advance(TimeSpan.FromSeconds(10));

        await RefusedAsync();
    }

    private static Libp2pHostOptions Impatient(Libp2pHostOptions options) =>
        options with { Limits = options.Limits with { ResponseDeadline = TimeSpan.FromSeconds(1) } };

    private async Task<PeerConnection> ConnectAsync(Func<Libp2pHostOptions, Libp2pHostOptions> change)
    {
        _alice = Hosts.Start(1, change);
        _alice.StreamRefused += (_, refusal) => _refused.Enqueue(refusal);
        return await _bob.ConnectAsync(_alice);
    }

    private async Task<Libp2pStream> AskAsync(PeerConnection connection)
    {
        Libp2pStream stream = await connection.OpenStreamAsync(Protocol, Late);
        await LengthPrefix.WriteAsync(stream.Output, new byte[1], Late);
        return stream;
    }

    private async Task RefusedAsync()
    {
        while (_refused.IsEmpty)
        {
            await Task.Delay(1, Late);
        }

        _refused.Should().ContainSingle().Which.Fault.Should().Be(Libp2pFault.DeadlinePassed);
    }
}
