using System.IO.Pipelines;
using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>A blob, or what is there of one, to send chunks from. For use from any thread, until it is disposed.</summary>
internal interface IChunkSource : IDisposable
{
    /// <summary>Its name and how it is cut.</summary>
    BlobShape Shape { get; }

    /// <summary>Whether a chunk is there, and with it the hashes that prove it.</summary>
    bool Has(int index);

    /// <summary>The leaf hashes of a page, or for <see cref="HashPages.Top"/> the roots of all pages; empty when they are not there.</summary>
    ReadOnlySpan<Digest> Hashes(int page);

    /// <summary>Whether a chunk that is there is what was stored: hashed unless it has been since it came onto this disk, in this process's life.</summary>
    bool IsIntact(int index);

    /// <summary>Writes a part of an intact chunk to a pipe, from the file without a copy between, and without flushing.</summary>
    /// <param name="index">The chunk.</param>
    /// <param name="part">Which of its bytes.</param>
    /// <param name="output">Where to.</param>
    /// <returns>False when the file ends before, or cannot be read: what was written is of no use, and must not be sent.</returns>
    bool TryCopyTo(int index, Range part, PipeWriter output);
}
