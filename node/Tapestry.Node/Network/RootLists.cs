using System.Globalization;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Node.Configuration;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Aggregation;

namespace Tapestry.Node.Network;

/// <summary>The lists behind the names of bases and aggregates: each is the root of every slice, and its own name is the root over them.</summary>
/// <remarks>At most 256 roots, 8 KiB: small files, served whole. Each file says in its name which round wrote it, so old ones can go.</remarks>
internal sealed class RootLists
{
    private readonly Lock _gate = new();
    private readonly string _folder;

    /// <summary>Opens the folder; makes it if it is missing.</summary>
    public RootLists(string folder)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
    }

    /// <summary>Keeps a list, durably. Two effects may come to the same list at once: the second finds it there.</summary>
    /// <returns>Its name.</returns>
    public Digest Write(ReadOnlySpan<Digest> roots, long round)
    {
        Digest name = Roots.OfSlices(roots);
        byte[] bytes = new byte[roots.Length * Digest.Length];
        for (int index = 0; index < roots.Length; index++)
        {
            roots[index].CopyTo(bytes.AsSpan(index * Digest.Length));
        }

        string path = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"{name}.{round}"));
        Guard(path, () =>
        {
            lock (_gate)
            {
                if (!File.Exists(path))
                {
                    AtomicFile.Write(path, bytes);
                }
            }
        });
        return name;
    }

    /// <summary>Reads a list; null when it is not held or damaged.</summary>
    public Digest[]? Read(Digest name) =>
        FileOf(name) is string path && TryParse(File.ReadAllBytes(path), name, out Digest[] roots) ? roots : null;

    /// <summary>Deletes the lists that only rounds before <paramref name="round"/> wrote.</summary>
    public void Forget(long round)
    {
        foreach (string path in Directory.EnumerateFiles(_folder))
        {
            if (long.TryParse(Path.GetExtension(path).AsSpan(1), CultureInfo.InvariantCulture, out long written) && written < round)
            {
                File.Delete(path);
            }
        }
    }

    /// <summary>Starts to answer on a host: the question is a name, the answer the roots, or nothing.</summary>
    public void Register(Libp2pHost host) =>
        host.HandleRequests(TapestryProtocols.Roots, Digest.Length, (_, question, _) =>
        {
            byte[] answer = question.Length == Digest.Length && FileOf(new Digest(question.Span)) is string path ? File.ReadAllBytes(path) : [];
            return ValueTask.FromResult<ReadOnlyMemory<byte>?>(answer);
        });

    /// <summary>Reads the bytes of a list.</summary>
    /// <returns>False when they are not the list of that name.</returns>
    public static bool TryParse(ReadOnlySpan<byte> bytes, Digest name, out Digest[] roots)
    {
        roots = [];
        if (bytes.IsEmpty || bytes.Length % Digest.Length != 0 || bytes.Length > Limits.Slices * Digest.Length)
        {
            return false;
        }

        roots = new Digest[bytes.Length / Digest.Length];
        for (int index = 0; index < roots.Length; index++)
        {
            roots[index] = new Digest(bytes.Slice(index * Digest.Length, Digest.Length));
        }

        return Roots.OfSlices(roots) == name;
    }

    private string? FileOf(Digest name) => Directory.EnumerateFiles(_folder, $"{name}.*").FirstOrDefault(path => !path.EndsWith(".new", StringComparison.Ordinal));

    private static void Guard(string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception error) when (StorageErrors.IsOfDisk(error))
        {
            throw StorageErrors.FromIo(error, path);
        }
    }
}
