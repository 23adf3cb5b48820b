namespace Tapestry.Node.Swarm;

/// <summary>Every way in which a peer can be wrong or of no use when a blob is moved.</summary>
/// <remarks>
/// Counted on the status board under its name. Who did one of the first five is not asked again for
/// <see cref="SwarmLimits.LiarPause"/>; who lied is dropped from every fetch besides (<see cref="BlobFaults.IsLie"/>).
/// specs/50-network.md, section 11.3.
/// </remarks>
internal enum BlobFault : byte
{
    /// <summary>No fault.</summary>
    None = 0,

    /// <summary>A head that gives another length or chunk size than the name's signer.</summary>
    WrongLength = 1,

    /// <summary>Hashes whose root is not the blob's name, or not the page's.</summary>
    WrongHashes = 2,

    /// <summary>A chunk that its hash does not fit.</summary>
    WrongChunk = 3,

    /// <summary>A chunk or hashes that were not asked for.</summary>
    Unsolicited = 4,

    /// <summary>A frame that is none, or at a moment where it means nothing.</summary>
    Malformed = 5,

    /// <summary>More questions or requests at once than the protocol allows.</summary>
    TooManyRequests = 6,

    /// <summary>Nothing came for as long as patience lasts, though something was owed; or nothing was taken.</summary>
    Stalled = 7,

    /// <summary>It reset the stream: it does not want to, or cannot any more.</summary>
    Refused = 8,

    /// <summary>The connection ended.</summary>
    Disconnected = 9,

    /// <summary>There is no connection to it.</summary>
    Unreachable = 10,
}

/// <summary>What a fault says of who did it.</summary>
internal static class BlobFaults
{
    /// <summary>Whether it served what is not the blob: no later version and no slow machine does.</summary>
    internal static bool IsLie(this BlobFault fault) => fault is BlobFault.WrongLength or BlobFault.WrongHashes or BlobFault.WrongChunk;
}
