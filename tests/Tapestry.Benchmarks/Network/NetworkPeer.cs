using System.Text.Json;
using System.Text.Json.Nodes;
using Tapestry.Crypto;
using Tapestry.Libp2p;

namespace Tapestry.Benchmarks.Network;

/// <summary>Our peer in a process of its own, driven by the same lines as <c>tests/foreign/js/peer.mjs</c>.</summary>
internal sealed class NetworkPeer : IAsyncDisposable
{
    /// <summary>The argument that makes this program play the peer.</summary>
    internal const string Argument = "network-peer";

    private const string Echo = "/test/echo/1.0.0";

    private readonly Libp2pIdentity _identity;
    private readonly Libp2pHost _host;
    private readonly CancellationToken _stopping;
    private GossipBenchmarkPeer? _gossip;

    private NetworkPeer(CancellationToken stopping)
    {
        _stopping = stopping;
        byte[] seed = new byte[SigningKey.SeedLength];
        System.Security.Cryptography.RandomNumberGenerator.Fill(seed);
        _identity = new Libp2pIdentity(SigningKey.FromSeed(seed));
        _host = new Libp2pHost(_identity, new Libp2pHostOptions
        {
            ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")],
            AnswersPerf = true,

            // Connections are closed and made again faster than the other side notices.
            Limits = new ResourceLimits { ConnectionsPerPeer = 64 },
        });
        _host.Handle(Echo, async (stream, _, ended) =>
        {
            await stream.Input.CopyToAsync(stream.Output, ended);
            await stream.CompleteWriteAsync(ended);
        });
    }

    /// <summary>Serves commands from standard input until it closes.</summary>
    internal static async Task<int> RunAsync()
    {
        using CancellationTokenSource stopping = new();
        await using NetworkPeer peer = new(stopping.Token);
        peer._host.Start();
        Print(new { @event = "ready", peerId = peer._host.PeerId.ToString(), addresses = peer._host.ListenAddresses.Select(address => address.ToString()) });
        while (await Console.In.ReadLineAsync(stopping.Token) is string line)
        {
            JsonNode message = JsonNode.Parse(line)!;
            int id = (int)message["id"]!;
            try
            {
                Print(new { id, result = await peer.DoAsync(message) });
            }
            catch (Exception error) when (error is IOException or ArgumentException or OperationCanceledException)
            {
                Print(new { id, error = error.Message });
            }
        }

        return 0;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_gossip is not null)
        {
            await _gossip.DisposeAsync();
        }

        await _host.DisposeAsync();
        _identity.Dispose();
    }

    private async Task<object> DoAsync(JsonNode message)
    {
        switch ((string)message["command"]!)
        {
            case "dial":
                return await DialAsync(Multiaddr.Parse((string)message["address"]!));
            case "close":
                await Connection(message).CloseAsync();
                return new { };
            case "perf":
                return await PerfAsync(Connection(message).Remote, (ulong)message["upload"]!, (ulong)message["download"]!);
            case "open":
                return await OpenAsync(Connection(message), (int)message["times"]!);
            case string command when command is "subscribe" || command.StartsWith("gossip", StringComparison.Ordinal):
                return await (_gossip ??= new GossipBenchmarkPeer(_host, _stopping)).DoAsync(command, message);
            default:
                throw new ArgumentException($"There is no command {message["command"]}.");
        }
    }

    private async Task<object> DialAsync(Multiaddr address)
    {
        long start = TimeProvider.System.GetTimestamp();
        PeerConnection connection = await _host.DialAsync(address, _stopping);
        return new { peer = connection.Remote.ToString(), milliseconds = MillisecondsSince(start) };
    }

    private async Task<object> PerfAsync(PeerId peer, ulong upload, ulong download)
    {
        PerfMeasurement measured = await _host.MeasureAsync(peer, upload, download, _stopping);
        return new
        {
            bytes = download,
            openedMilliseconds = measured.Connected.TotalMilliseconds,
            uploadMilliseconds = measured.Uploaded.TotalMilliseconds,
            downloadMilliseconds = measured.Downloaded.TotalMilliseconds,
        };
    }

    private async Task<object> OpenAsync(PeerConnection connection, int times)
    {
        List<double> milliseconds = [];
        for (int i = 0; i < times; i++)
        {
            long start = TimeProvider.System.GetTimestamp();
            await using Libp2pStream stream = await connection.OpenStreamAsync(Echo, _stopping);
            await stream.Output.WriteAsync(new byte[1], _stopping);
            System.IO.Pipelines.ReadResult echoed = await stream.Input.ReadAsync(_stopping);
            milliseconds.Add(MillisecondsSince(start));
            stream.Input.AdvanceTo(echoed.Buffer.End);
            await stream.CompleteWriteAsync(_stopping);
            await stream.Input.ReadAsync(_stopping);
        }

        return new { milliseconds };
    }

    private PeerConnection Connection(JsonNode message) =>
        _host.FindConnection(PeerId.Parse((string)message["peer"]!)) ?? throw new ArgumentException($"No connection to {message["peer"]}.");

    private static double MillisecondsSince(long start) => TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;

    private static void Print(object line) => Console.Out.WriteLine(JsonSerializer.Serialize(line));
}
