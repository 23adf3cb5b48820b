using System.Buffers.Binary;
using System.Text.Json.Nodes;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Gossip;

namespace Tapestry.Benchmarks.Network;

/// <summary>The gossip commands of <see cref="NetworkPeer"/>; the same ones as in <c>tests/foreign/js/gossip.mjs</c>.</summary>
internal sealed class GossipBenchmarkPeer(Libp2pHost host, CancellationToken stopping) : IAsyncDisposable
{
    // One author at full speed, which js-libp2p does not bound either.
    private readonly Gossipsub _gossip = new(host, new GossipOptions { Parameters = new GossipParameters { MessagesPerAuthor = 1_000_000 } });
    private readonly Lock _sync = new();
    private readonly SemaphoreSlim _acknowledged = new(0);
    private List<double> _microseconds = [];
    private int _count;

    public async ValueTask DisposeAsync()
    {
        await _gossip.DisposeAsync();
        _acknowledged.Dispose();
    }

    internal async Task<object> DoAsync(string command, JsonNode message)
    {
        string topic = (string?)message["topic"] ?? "";
        switch (command)
        {
            case "subscribe":
                _gossip.Subscribe(topic, (_, _) => Acknowledged());
                return new { };
            case "gossipSink":
                int ackEvery = (int)message["ackEvery"]!;
                _gossip.Subscribe(topic, (taken, _) => TakeAsync(taken, ackEvery));
                return new { };
            case "gossipSinkTake":
                return Take();
            case "gossipPump":
                return await PumpAsync(topic, message);
            case "gossipAwait":
                while (_gossip.MeshOf(topic).Count < (int)message["peers"]!)
                {
                    await Task.Delay(10, stopping);
                }

                return new { };
            default:
                throw new ArgumentException($"There is no command {command}.");
        }
    }

    private static double Microseconds() => (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / 10.0;

    private ValueTask<GossipVerdict> Acknowledged()
    {
        _acknowledged.Release();
        return ValueTask.FromResult(GossipVerdict.Accept);
    }

    private async ValueTask<GossipVerdict> TakeAsync(GossipMessage message, int ackEvery)
    {
        double stamp = BinaryPrimitives.ReadDoubleBigEndian(message.Data.Span);
        bool acknowledges;
        lock (_sync)
        {
            if (stamp != 0)
            {
                _microseconds.Add(Microseconds() - stamp);
            }

            acknowledges = ++_count % ackEvery == 0;
        }

        if (acknowledges)
        {
            await _gossip.PublishAsync(message.Topic + "/ack", new byte[8], stopping);
        }

        return GossipVerdict.Accept;
    }

    private object Take()
    {
        lock (_sync)
        {
            object taken = new { microseconds = _microseconds };
            _microseconds = [];
            _count = 0;
            return taken;
        }
    }

    private async Task<object> PumpAsync(string topic, JsonNode message)
    {
        int bytes = (int)message["bytes"]!;
        int count = (int)message["count"]!;
        int window = (int)message["window"]!;
        int ackEvery = (int)message["ackEvery"]!;
        double pause = (double)message["pauseMilliseconds"]!;
        int acknowledged = 0;
        long start = TimeProvider.System.GetTimestamp();
        for (int sent = 0; sent < count; sent++)
        {
            await UntilAsync(sent + 1 - window);
            byte[] data = new byte[bytes];
            if (pause > 0)
            {
                BinaryPrimitives.WriteDoubleBigEndian(data, Microseconds());
            }

            await _gossip.PublishAsync(topic, data, stopping);
            if (pause > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(pause), stopping);
            }
        }

        await UntilAsync(count);
        return new { milliseconds = TimeProvider.System.GetElapsedTime(start).TotalMilliseconds };

        async Task UntilAsync(int number)
        {
            while (acknowledged < number)
            {
                await _acknowledged.WaitAsync(stopping);
                acknowledged += ackEvery;
            }
        }
    }
}
