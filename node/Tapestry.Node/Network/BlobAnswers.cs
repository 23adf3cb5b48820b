using Tapestry.Libp2p;
using Tapestry.Node.Daemon;
using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Network;

/// <summary>Serves blobs by their Merkle root.</summary>
/// <remarks>
/// The answer's first frame is the <see cref="BlobHead"/>, empty when we do not have the blob; each further frame is one
/// chunk. So a chunk is checked the moment it has come, against a list that the root names. specs/50-network.md, section 11.3.
/// </remarks>
/// <param name="blobs">Where they are.</param>
/// <param name="traffic">Where bytes are counted.</param>
internal sealed class BlobAnswers(BlobStore blobs, Traffic traffic)
{
    /// <summary>Starts to answer on a host.</summary>
    public void Register(Libp2pHost host) => host.HandleFrames(TapestryProtocols.Blob, BlobQuestion.Bytes, AnswerAsync);

    private async ValueTask<bool> AnswerAsync(PeerId from, ReadOnlyMemory<byte> bytes, ResponseFrames answer, CancellationToken ended)
    {
        if (!BlobQuestion.TryRead(bytes.Span, out BlobQuestion question))
        {
            return false;
        }

        if (!blobs.TryOpen(question.Root, out Blob? blob))
        {
            await answer.WriteAsync(ReadOnlyMemory<byte>.Empty, ended);
            return true;
        }

        using (blob)
        {
            return await SendAsync(blob, question.FirstChunk, answer, ended);
        }
    }

    private async ValueTask<bool> SendAsync(Blob blob, int firstChunk, ResponseFrames answer, CancellationToken ended)
    {
        byte[] head = new BlobHead(blob.Length, blob.LeafHashes.ToArray()).ToArray();
        await answer.WriteAsync(head, ended);
        traffic.Sent(head.Length);
        byte[] chunk = new byte[blob.ChunkBytes];
        for (int index = firstChunk; index < blob.ChunkCount; index++)
        {
            int length = blob.ChunkLength(index);
            if (!blob.TryReadChunk(index, chunk))
            {
                return false;
            }

            await answer.WriteAsync(chunk.AsMemory(0, length), ended);
            traffic.SentBlob(length);
        }

        return true;
    }
}
