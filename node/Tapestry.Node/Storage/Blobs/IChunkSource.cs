using System.IO.Pipelines;
using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>A blob, or what is there of one, to send chunks from. For use from any thread.</summary>
internal interface IChunkSource
{
    /// <summary>Its name and how it is cut.</summary>
    BlobShape Shape { get; }

    /// <summary>Whether a chunk is there, and with it the hashes that prove it.</summary>
    bool Has(int index);

    /// <summary>The leaf hashes of a page, or for <see cref="HashPages.Top"/> the roots of all pages; empty when they are not there.</summary>
    ReadOnlySpan<Digest> Hashes(int page);

    /// <summary>Writes a chunk that is there to a pipe, from the file without a copy between, and without flushing.</summary>
    /// <returns>False when it is not what was stored: what was written is wrong, and must not be sent.</returns>
    /// <exception cref="ObjectDisposedException">It has been closed meanwhile.</exception>
    bool TryCopyTo(int index, PipeWriter output);
}
