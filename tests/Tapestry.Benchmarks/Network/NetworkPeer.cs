using System.Text.Json;
using System.Text.Json.Nodes;
using Tapestry.Libp2p;

namespace Tapestry.Benchmarks.Network;

/// <summary>Our peer in a process of its own, driven by the same lines as <c>tests/foreign/js/peer.mjs</c>.</summary>
internal sealed partial class NetworkPeer : IAsyncDisposable
{
    /// <summary>The argument that makes this program play the peer.</summary>
    internal const string Argument = "network-peer";

    private const string Echo = "/test/echo/1.0.0";

    private readonly SecurityProtocol _security;
    private readonly Libp2pIdentity _identity;
    private readonly Libp2pHost _host;
    private readonly CircuitRelay _relay;
    private readonly CancellationToken _stopping;
    private GossipBenchmarkPeer? _gossip;

    private NetworkPeer(SecurityProtocol security, CancellationToken stopping)
    {
        _stopping = stopping;
        _security = security;
        _identity = NewIdentity();
        _host = new Libp2pHost(_identity, new Libp2pHostOptions
        {
            ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")],
            Security = [security],
            AnswersPerf = true,
            Protects = static _ => true,

            // Connections are closed and made again faster than the other side notices, and all come from one address.
            Limits = new ResourceLimits
            {
                Connections = 2000,
                ConnectionsPerPeer = 64,
                ConnectionsPerAddress = 2000,
                PendingHandshakes = 2000,
                PendingHandshakesPerAddress = 2000,
                AcceptedPerAddressPerSecond = 100_000,
            },
        });
        _relay = new CircuitRelay(_host, new CircuitRelayOptions { Serves = true, IsUnlimited = static _ => true });
        _host.Handle(Echo, async (stream, _, ended) =>
        {
            await stream.Input.CopyToAsync(stream.Output, ended);
            await stream.CompleteWriteAsync(ended);
        });
    }

    /// <summary>Serves commands from standard input until it closes.</summary>
    /// <param name="security">How it is secure: <c>noise</c> or <c>tls</c>.</param>
    internal static async Task<int> RunAsync(string security)
    {
        using CancellationTokenSource stopping = new();
        SecurityProtocol protocol = SecurityProtocol.TryParse(security, out SecurityProtocol? parsed)
            ? parsed
            : throw new ArgumentException($"There is no security protocol '{security}': expected noise or tls.");
        await using NetworkPeer peer = new(protocol, stopping.Token);
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

            // Reading the console blocks, which a thread that hears of sockets must not.
            await Task.Yield();
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

        await _relay.DisposeAsync();
        await Task.WhenAll(_hosts.Select(host => host.StopAsync()));
        await _host.DisposeAsync();
        _identity.Dispose();
    }

    private async Task<object> DoAsync(JsonNode message)
    {
        switch ((string)message["command"]!)
        {
            case "dial":
                return await DialAsync(Multiaddr.Parse((string)message["address"]!));
            case "reserve":
                RelayReservation reservation = await _relay.ReserveAsync(Multiaddr.Parse((string)message["relay"]!), _stopping);
                return new { addresses = reservation.Addresses.Select(address => address.ToString()) };
            case "close":
                await Connection(message).CloseAsync();
                return new { };
            case "perf":
                return await PerfAsync(Connection(message).Remote, (ulong)message["upload"]!, (ulong)message["download"]!);
            case "open":
                return await OpenAsync(Connection(message), (int)message["times"]!);
            case string command when command is "subscribe" || command.StartsWith("gossip", StringComparison.Ordinal):
                return await (_gossip ??= new GossipBenchmarkPeer(_host, _stopping)).DoAsync(command, message);
            case "hosts":
                return await DialFromNewHostsAsync(Multiaddr.Parse((string)message["address"]!), (int)message["count"]!);
            case "memory":
                return Memory();
            case "cipher":
                return Cipher();
            case "rawListen":
                return RawListen();
            case "rawSend":
                return await RawSendAsync((int)message["port"]!, (long)message["bytes"]!);
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
