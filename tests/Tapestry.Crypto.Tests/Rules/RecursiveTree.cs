namespace Tapestry.Crypto.Tests.Rules;

/// <summary>RFC 6962, section 2.1, to the letter: slow, obvious, and what the fast code is held against.</summary>
internal static class RecursiveTree
{
    /// <summary>MTH(D[n]).</summary>
    public static Digest Root(ReadOnlySpan<Digest> leaves)
    {
        if (leaves.IsEmpty)
        {
            return Digest.Of([]);
        }

        if (leaves.Length == 1)
        {
            return leaves[0];
        }

        int k = Split(leaves.Length);
        byte[] node = [0x01, .. Root(leaves[..k]).ToArray(), .. Root(leaves[k..]).ToArray()];
        return Digest.Of(node);
    }

    /// <summary>PATH(m, D[n]), section 2.1.1.</summary>
    public static List<Digest> Path(int m, ReadOnlySpan<Digest> leaves)
    {
        if (leaves.Length == 1)
        {
            return [];
        }

        int k = Split(leaves.Length);
        return m < k
            ? [.. Path(m, leaves[..k]), Root(leaves[k..])]
            : [.. Path(m - k, leaves[k..]), Root(leaves[..k])];
    }

    /// <summary>PROOF(m, D[n]), section 2.1.2.</summary>
    public static List<Digest> Proof(int m, ReadOnlySpan<Digest> leaves) => SubProof(m, leaves, isComplete: true);

    private static List<Digest> SubProof(int m, ReadOnlySpan<Digest> leaves, bool isComplete)
    {
        if (m == leaves.Length)
        {
            return isComplete ? [] : [Root(leaves)];
        }

        int k = Split(leaves.Length);
        return m <= k
            ? [.. SubProof(m, leaves[..k], isComplete), Root(leaves[k..])]
            : [.. SubProof(m - k, leaves[k..], isComplete: false), Root(leaves[..k])];
    }

    private static int Split(int n)
    {
        int k = 1;
        while (2 * k < n)
        {
            k *= 2;
        }

        return k;
    }
}
