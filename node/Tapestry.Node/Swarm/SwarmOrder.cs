using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>What a schedule wants said to a provider.</summary>
/// <param name="Provider">To whom.</param>
/// <param name="Kind">What.</param>
/// <param name="First">The first chunk, or the page of hashes (<see cref="HashPages.Top"/> for the list of page roots).</param>
/// <param name="Count">Chunks from there on; 1 for hashes.</param>
internal readonly record struct SwarmOrder(int Provider, SwarmOrderKind Kind, int First, int Count);

/// <summary>The kinds of <see cref="SwarmOrder"/>.</summary>
internal enum SwarmOrderKind : byte
{
    /// <summary>Send hashes.</summary>
    Hashes = 1,

    /// <summary>Send chunks.</summary>
    Chunks = 2,

    /// <summary>Do not send chunks that were asked for.</summary>
    Cancel = 3,
}

/// <summary>What a chunk or a page is to us when it comes.</summary>
internal enum Arrival : byte
{
    /// <summary>It was asked for and is missing: to be checked and stored.</summary>
    Wanted = 1,

    /// <summary>It was asked for and has come from elsewhere meanwhile: to be dropped, no fault.</summary>
    Late = 2,

    /// <summary>Nobody asked for it: the peer's fault.</summary>
    Unsolicited = 3,
}
