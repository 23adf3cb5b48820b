using System.CommandLine;
using System.Globalization;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Daemon;
using Tapestry.Node.Network;
using Tapestry.Node.Storage;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;

namespace Tapestry.Node.Peer;

/// <summary><c>tapestry peer fetch</c>: a blob by its digest from peers that hold it, each chunk verified, into a file.</summary>
/// <remarks>
/// The name binds every chunk; length and chunk size are the word of whoever answers first, and a fetch with wrong ones fails. What
/// was verified stays beside the file until all is there, so that the same command goes on after an interruption.
/// </remarks>
internal sealed class PeerFetch
{
    // A fetch for a person belongs to no round.
    private const long NoRound = 1;

    // A head of the longest blob, with a bit for each chunk.
    private const int HeadBytesMax = 1024 + (BlobTrailer.ChunksMax / 8);

    private readonly PeerHost _shared = new();

    private readonly Argument<string> _digest = new("digest") { Description = "The blob's name: 64 hex digits." };

    private readonly Argument<string[]> _peers = new("address")
    {
        Description = "Peers that may hold it, such as /ip4/192.0.2.7/tcp/4610/p2p/12D3Koo….",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string?> _output = new("--output") { Description = "The file to write. Default: the digest's first 16 digits and .blob." };

    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        PeerFetch verb = new();
        Command command = new("fetch", "Fetch a blob by its digest from peers that hold it, verified, into a file.") { verb._digest, verb._peers, verb._output };
        verb._shared.AddTo(command, listens: false);
        return app.Does(command, verb.RunAsync);
    }

    private Task<VerbResult> RunAsync(ParseResult arguments, Terminal terminal, CancellationToken stopping)
    {
        string text = arguments.GetRequiredValue(_digest);
        Digest root = Digest.TryParse(text, out Digest digest) ? digest : throw new CliException(
            "digest", $"'{text}' is not the name of a blob.", "Give 64 hex digits, such as a shard root of a manifest or the root of an aggregate.", ExitCode.Usage);
        List<Multiaddr> peers = [.. arguments.GetRequiredValue(_peers).Select(PeerHost.ParsePeer)];
        string file = Path.GetFullPath(arguments.GetValue(_output) ?? $"{text[..16]}.blob");
        if (Path.Exists(file))
        {
            throw new CliException("output-exists", $"{file} exists; nothing is written over it.", "Name a new file with --output.", ExitCode.Usage);
        }

        FileErrors.RequireWritable(file);
        return _shared.RunAsync(arguments, adapt: null, async (host, _) =>
        {
            await ConnectAsync(host, peers, terminal, stopping);
            return await FetchAsync(host, root, file, _shared.Timeout(arguments), terminal, stopping);
        });
    }

    /// <summary>One peer that can be reached is enough.</summary>
    private static async Task ConnectAsync(Libp2pHost host, List<Multiaddr> peers, Terminal terminal, CancellationToken stopping)
    {
        Libp2pException? refusal = null;
        foreach (Multiaddr address in peers)
        {
            try
            {
                await host.DialAsync(address, stopping);
            }
            catch (Libp2pException fault)
            {
                terminal.Say($"unreachable   {address}: {fault.Message}");
                refusal = fault;
            }
        }

        if (host.Connections.Count == 0)
        {
            throw refusal!;
        }
    }

    private static async Task<VerbResult> FetchAsync(
        Libp2pHost host, Digest root, string file, TimeSpan timeout, Terminal terminal, CancellationToken stopping)
    {
        List<IGrouping<BlobShape, PeerId>> claims = await ClaimsAsync(host, root, timeout, terminal, stopping);
        string folder = file + ".part";
        SortedSet<string> faults = new(StringComparer.Ordinal);
        using (BlobStore store = BlobStore.Open(folder, BlobTrailer.ChunkBytesMax))
        {
            long start = TimeProvider.System.GetTimestamp();
            BlobShape? held = null;
            foreach (IGrouping<BlobShape, PeerId> claim in claims)
            {
                held ??= await IsFetchedAsync(host, store, claim, timeout, faults, stopping) ? claim.Key : null;
            }

            TimeSpan took = TimeProvider.System.GetElapsedTime(start);
            if (held is null)
            {
                string why = faults.Count > 0 ? string.Join(", ", faults) : "they stopped sending";
                throw new CliException(
                    "not-fetched", $"No peer gave all of {root}: {why}.", "Name other peers; what came and was verified is kept for the next attempt.",
                    faults.Any(IsLie) ? ExitCode.VerificationFailed : ExitCode.Failed);
            }

            Write(store, held, file);
            Fetched result = new(root.ToString(), held.Length, held.ChunkCount, file, took.TotalMilliseconds, held.Length / 1e6 / took.TotalSeconds, [.. faults]);
            Directory.Delete(folder, recursive: true);
            return VerbResult.Line(result, string.Create(
                CultureInfo.InvariantCulture, $"{file}: {result.Bytes} bytes in {result.Chunks} chunks, verified; {result.MBps:F1} MB/s"));
        }
    }

    /// <summary>Fetches from those who say the same of the blob: who says otherwise would be taken for a liar.</summary>
    private static async Task<bool> IsFetchedAsync(
        Libp2pHost host, BlobStore store, IGrouping<BlobShape, PeerId> claim, TimeSpan timeout, SortedSet<string> faults, CancellationToken stopping)
    {
        using BlobSwarm swarm = new(host, store, new SwarmOptions(0, 0, new SwarmLimits { Patience = timeout }, TimeProvider.System), new Traffic());
        swarm.FaultFound += (peer, fault) => Note(faults, $"{peer}: {fault}");
        return (await swarm.FetchAsync(claim.Key, NoRound, [.. claim], stopping)).IsHeld;
    }

    /// <summary>What the peers say of the blob's length and chunks, and who says it.</summary>
    private static async Task<List<IGrouping<BlobShape, PeerId>>> ClaimsAsync(
        Libp2pHost host, Digest root, TimeSpan timeout, Terminal terminal, CancellationToken stopping)
    {
        List<(BlobShape Shape, PeerId Peer)> claims = [];
        foreach (PeerConnection connection in host.Connections.DistinctBy(connection => connection.Remote))
        {
            using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            deadline.CancelAfter(timeout);
            try
            {
                BlobShape? shape = await AskAsync(connection, root, deadline.Token);
                terminal.Say(shape is null ? $"lacks it      {connection.Remote}" : $"holds it      {connection.Remote}: {shape.Length} bytes");
                if (shape is not null)
                {
                    claims.Add((shape, connection.Remote));
                }
            }
            catch (Libp2pException fault)
            {
                terminal.Say($"no answer     {connection.Remote}: {fault.Message}");
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                terminal.Say($"no answer     {connection.Remote}");
            }
        }

        return claims.Count > 0 ? [.. claims.GroupBy(claim => claim.Shape, claim => claim.Peer)] : throw new CliException(
            "not-held", $"No peer that was reached holds {root}.",
            "Name peers that do: members serve shards while their round lasts, and aggregates and bases some rounds longer. They talk to members only: --data.",
            ExitCode.Failed);
    }

    /// <returns>Null when the peer has nothing of it, or what it says is no blob.</returns>
    private static async Task<BlobShape?> AskAsync(PeerConnection connection, Digest root, CancellationToken cancelled)
    {
        await using Libp2pStream stream = await connection.OpenStreamAsync(TapestryProtocols.Blob, cancelled);
        await LengthPrefix.WriteAsync(stream.Output, BlobRequest.Ask(root).ToArray(), cancelled);
        byte[]? answer = await LengthPrefix.ReadAsync(stream.Input, HeadBytesMax, cancelled);
        return answer is not null && BlobAnswer.TryRead(answer, out BlobAnswer? said) && said is BlobAnswer.Head { Extent: not BlobExtent.Nothing } head
            && new BlobShape(root, head.Length, head.ChunkBytes) is { ChunkCount: > 0 } shape
                ? shape
                : null;
    }

    private static void Write(BlobStore store, BlobShape shape, string file) => FileErrors.Writing(file, () =>
    {
        string temporary = Path.Combine(file + ".part", "whole");
        using (FileStream output = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            if (!store.TryOpen(shape.Root, out Blob? blob))
            {
                throw new IOException("what was stored cannot be read again");
            }

            using (blob)
            {
                byte[] chunk = new byte[shape.ChunkBytes];
                for (int index = 0; index < shape.ChunkCount; index++)
                {
                    if (!blob.TryReadChunk(index, chunk))
                    {
                        throw new IOException($"chunk {index} cannot be read again");
                    }

                    output.Write(chunk, 0, shape.ChunkLength(index));
                }
            }

            output.Flush(flushToDisk: true);
        }

        File.Move(temporary, file);
    });

    private static void Note(SortedSet<string> faults, string fault)
    {
        lock (faults)
        {
            faults.Add(fault);
        }
    }

    private static bool IsLie(string fault) =>
        fault.EndsWith(nameof(BlobFault.WrongChunk), StringComparison.Ordinal)
        || fault.EndsWith(nameof(BlobFault.WrongHashes), StringComparison.Ordinal)
        || fault.EndsWith(nameof(BlobFault.WrongLength), StringComparison.Ordinal);

    private sealed record Fetched(
        string Digest, long Bytes, int Chunks, string File, double Ms, double MBps, IReadOnlyList<string> Faults);
}
