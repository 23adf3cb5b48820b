using Tapestry.Crypto;

namespace Tapestry.Node.Storage.Blobs;

/// <summary>The leaf hashes of a blob in pages of 1024, each a subtree with a root of its own.</summary>
/// <remarks>
/// An RFC 6962 tree splits at powers of two, so a full page is a whole subtree, and the tree over the roots of the pages has
/// the blob's own root. A chunk is proved by its page (32 KiB at most), the page by the list of page roots (at most as long).
/// </remarks>
internal static class HashPages
{
    /// <summary>Leaf hashes of a full page.</summary>
    public const int LeavesPerPage = 1024;

    /// <summary>Stands for the list of page roots among the pages.</summary>
    public const int Top = -1;

    /// <summary>Pages of a blob of so many chunks.</summary>
    public static int Count(int chunks) => (chunks + LeavesPerPage - 1) / LeavesPerPage;

    /// <summary>The page that a chunk's hash is on.</summary>
    public static int Of(int chunk) => chunk / LeavesPerPage;

    /// <summary>Leaf hashes on one page of a blob of so many chunks.</summary>
    public static int Length(int page, int chunks) => Math.Min(LeavesPerPage, chunks - (page * LeavesPerPage));

    /// <summary>The roots of all pages.</summary>
    public static Digest[] Roots(ReadOnlySpan<Digest> leafHashes)
    {
        Digest[] roots = new Digest[Count(leafHashes.Length)];
        for (int page = 0; page < roots.Length; page++)
        {
            roots[page] = MerkleTree.Root(leafHashes.Slice(page * LeavesPerPage, Length(page, leafHashes.Length)));
        }

        return roots;
    }
}
