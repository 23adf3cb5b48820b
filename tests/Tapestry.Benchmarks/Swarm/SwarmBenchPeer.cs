using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Node.Daemon;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;

namespace Tapestry.Benchmarks.Swarm;

/// <summary>One member of the measured swarm, a process of its own: the daemon's swarm and store over a libp2p host, driven by lines.</summary>
internal sealed class SwarmBenchPeer : IAsyncDisposable
{
    /// <summary>The argument that makes this program play the peer; then its address and its folder.</summary>
    internal const string Argument = "swarm-peer";

    private readonly Libp2pIdentity _identity;
    private readonly Libp2pHost _host;
    private readonly BlobStore _blobs;
    private readonly BlobSwarm _swarm;
    private readonly Traffic _traffic = new();

    private SwarmBenchPeer(string address, string folder)
    {
        byte[] seed = new byte[SigningKey.SeedLength];
        System.Security.Cryptography.RandomNumberGenerator.Fill(seed);
        _identity = new Libp2pIdentity(SigningKey.FromSeed(seed));
        _host = new Libp2pHost(_identity, new Libp2pHostOptions { ListenAddresses = [Multiaddr.Parse($"/ip4/{address}/tcp/0")] });
        _blobs = BlobStore.Open(folder, BlobTrailer.ChunkBytesMin);
        _swarm = new BlobSwarm(_host, _blobs, new SwarmOptions(0, 0, new SwarmLimits(), TimeProvider.System), _traffic);
        _swarm.FaultFound += (peer, fault) => Console.Error.WriteLine($"{_host.PeerId.ToShortString()}: {peer.ToShortString()} {fault}");
        _swarm.Register();
    }

    /// <summary>Serves commands from standard input until it closes.</summary>
    internal static async Task<int> RunAsync(string address, string folder)
    {
        await using SwarmBenchPeer peer = new(address, folder);
        peer._host.Start();
        Print(new { @event = "ready", peerId = peer._host.PeerId.ToString(), addresses = peer._host.ListenAddresses.Select(listen => listen.ToString()) });
        List<Task> running = [];
        while (await Console.In.ReadLineAsync() is string line)
        {
            running.Add(Task.Run(() => peer.AnswerAsync(JsonNode.Parse(line)!)));
        }

        await Task.WhenAll(running);
        return 0;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _swarm.Dispose();
        _blobs.Dispose();
        _identity.Dispose();
    }

    private async Task AnswerAsync(JsonNode message)
    {
        int id = (int)message["id"]!;
        try
        {
            Print(new { id, result = await DoAsync(message) });
        }
        catch (Exception error) when (error is IOException or ArgumentException or Tapestry.Cli.CliException)
        {
            Print(new { id, error = error.Message });
        }
    }

    private async Task<object> DoAsync(JsonNode message)
    {
        switch ((string)message["command"]!)
        {
            case "dial":
                await _host.DialAsync(Multiaddr.Parse((string)message["address"]!), CancellationToken.None);
                return new { };
            case "hold":
                return new { root = Hold((long)message["length"]!, (int)message["chunkBytes"]!) };
            case "fetch":
                return await FetchAsync(message);
            case "sent":
                return new { bytes = _traffic.SentBlobBytes };
            default:
                throw new ArgumentException($"There is no command {message["command"]}.");
        }
    }

    private string Hold(long length, int chunkBytes)
    {
        using BlobWriter writer = _blobs.Create(1, chunkBytes);
        byte[] some = new byte[chunkBytes];
        Random random = new(checked((int)(length / chunkBytes)));
        for (long written = 0; written < length; written += some.Length)
        {
            random.NextBytes(some);
            writer.Append(some.AsSpan(0, (int)Math.Min(some.Length, length - written)));
        }

        return writer.Commit().ToString();
    }

    private async Task<object> FetchAsync(JsonNode message)
    {
        Digest root = Digest.TryParse((string)message["root"]!, out Digest digest) ? digest : throw new ArgumentException("The root is no digest.");
        BlobShape shape = new(root, (long)message["length"]!, (int)message["chunkBytes"]!);
        PeerId[] providers = [.. message["providers"]!.AsArray().Select(provider => PeerId.Parse((string)provider!))];
        long start = TimeProvider.System.GetTimestamp();
        BlobFetchEnd end = await _swarm.FetchAsync(shape, 1, providers, CancellationToken.None);
        return end.IsHeld
            ? new { milliseconds = TimeProvider.System.GetElapsedTime(start).TotalMilliseconds }
            : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"Nobody had {root} in full."));
    }

    private static void Print(object line) => Console.Out.WriteLine(JsonSerializer.Serialize(line));
}
