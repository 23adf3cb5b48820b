using Microsoft.Extensions.Logging;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Node.Daemon;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Network;

/// <summary>Brings blobs of others onto this disk: asks one holder after the other, checks every chunk as it comes.</summary>
/// <param name="host">The libp2p host.</param>
/// <param name="blobs">Where they are kept.</param>
/// <param name="neighbours">Who is who.</param>
/// <param name="board">Members' names.</param>
/// <param name="traffic">Where bytes are counted.</param>
/// <param name="timeout">How long one chunk of one holder may take.</param>
/// <param name="logger">Where failures are logged.</param>
internal sealed class BlobFetcher(
    Libp2pHost host, BlobStore blobs, Neighbours neighbours, StatusBoard board, Traffic traffic, TimeSpan timeout,
    ILogger<BlobFetcher> logger)
{
    /// <summary>Makes sure that a blob is held.</summary>
    /// <param name="root">Its name.</param>
    /// <param name="length">Its length in bytes, which the plan's layout gives: a holder that says another is wrong.</param>
    /// <param name="chunkBytes">Bytes of every chunk but the last, which the layout gives too.</param>
    /// <param name="round">The round that names it.</param>
    /// <param name="providers">Who may hold it, in the order to ask.</param>
    /// <param name="cancelled">Ends the search.</param>
    /// <returns>Null once it is held; else why it is not, blaming whoever served wrong bytes.</returns>
    public async Task<EffectOutcome.Failed?> FetchAsync(
        Digest root, long length, int chunkBytes, long round, IEnumerable<MemberId> providers, CancellationToken cancelled)
    {
        if (blobs.Keep(root, round))
        {
            return null;
        }

        Attempt attempt = new(root, length, chunkBytes, round);
        EffectOutcome.Failed failure = new(EffectFault.Unavailable, null);
        try
        {
            foreach (MemberId provider in providers)
            {
                if (!neighbours.TryGetPeer(provider, out PeerId? peer))
                {
                    continue;
                }

                string fault = await TryOneAsync(attempt, peer, cancelled);
                if (fault.Length == 0)
                {
                    attempt.Assembly!.Commit();
                    return null;
                }

                NetworkLog.BlobRefused(logger, root.ToShortString(), board.NameOf(provider), fault);
                if (attempt.WasWrong)
                {
                    failure = new EffectOutcome.Failed(EffectFault.WrongDigest, provider);
                    attempt.WasWrong = false;
                }
            }

            return failure;
        }
        finally
        {
            attempt.Assembly?.Dispose();
        }
    }

    /// <returns>Why it did not succeed; empty when every chunk is there.</returns>
    private async Task<string> TryOneAsync(Attempt attempt, PeerId peer, CancellationToken cancelled)
    {
        int chunks = BlobTrailer.ChunkCount(attempt.Length, attempt.ChunkBytes);
        RequestLimits limits = new(Math.Max(BlobHead.BytesFor(chunks), attempt.ChunkBytes), timeout);
        byte[] question = new BlobQuestion(attempt.Root, attempt.NextChunk).ToArray();
        try
        {
            bool isHead = true;
            await foreach (ReadOnlyMemory<byte> frame in host.RequestFramesAsync(peer, TapestryProtocols.Blob, question, limits, cancelled))
            {
                traffic.Received(frame.Length);
                string fault = isHead ? TakeHead(attempt, frame.Span) : TakeChunk(attempt, frame.Span);
                isHead = false;
                if (fault.Length > 0)
                {
                    return fault;
                }
            }

            return attempt.Assembly is { MissingCount: 0 } ? "" : "broke off";
        }
        catch (Libp2pException error)
        {
            return error.Fault.ToString();
        }
    }

    private string TakeHead(Attempt attempt, ReadOnlySpan<byte> frame)
    {
        if (frame.IsEmpty)
        {
            return "does not hold it";
        }

        if (!BlobHead.TryRead(frame, out BlobHead? head) || head!.Length != attempt.Length)
        {
            attempt.WasWrong = true;
            return "wrong length";
        }

        attempt.Assembly ??= blobs.TryAssemble(attempt.Root, head.Length, attempt.ChunkBytes, head.LeafHashes, attempt.Round);
        attempt.WasWrong = attempt.Assembly is null;
        return attempt.WasWrong ? "wrong chunk hashes" : "";
    }

    private static string TakeChunk(Attempt attempt, ReadOnlySpan<byte> frame)
    {
        attempt.WasWrong = !attempt.Assembly!.TryAccept(attempt.NextChunk, frame);
        if (attempt.WasWrong)
        {
            return "wrong chunk";
        }

        attempt.NextChunk++;
        return "";
    }

    private sealed class Attempt(Digest root, long length, int chunkBytes, long round)
    {
        public Digest Root { get; } = root;

        public long Length { get; } = length;

        public int ChunkBytes { get; } = chunkBytes;

        public long Round { get; } = round;

        public BlobAssembly? Assembly { get; set; }

        public int NextChunk { get; set; }

        public bool WasWrong { get; set; }
    }
}
