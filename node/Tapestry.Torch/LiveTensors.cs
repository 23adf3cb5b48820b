using System.Collections.Concurrent;
using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <summary>How many tensors are alive, and, when asked to watch, where they came from.</summary>
public static class LiveTensors
{
    private static readonly ConcurrentDictionary<WeakReference<Tensor>, byte> Watched = new();
    private static volatile bool s_watching;

    /// <summary>Native handles that are alive now.</summary>
    public static long Count => Read().Count;

    /// <summary>Bytes that live handles address. A view counts its own extent, although it shares its storage.</summary>
    public static long Bytes => Read().Bytes;

    /// <summary>Whether tensors made from now on are remembered for <see cref="Report"/>. Off by default: it costs time and memory.</summary>
    public static bool Watching
    {
        get => s_watching;
        set
        {
            s_watching = value;
            Watched.Clear();
        }
    }

    /// <summary>The watched tensors that are alive, by operator and shape, the most frequent first; one line each.</summary>
    public static string Report()
    {
        Dictionary<string, int> counts = [];
        foreach (WeakReference<Tensor> reference in Watched.Keys)
        {
            if (reference.TryGetTarget(out Tensor? tensor) && !tensor.IsDisposed)
            {
                string line = $"{tensor.Origin} {tensor.Describe()}";
                counts[line] = counts.GetValueOrDefault(line) + 1;
            }
            else
            {
                Watched.TryRemove(reference, out _);
            }
        }

        return string.Join('\n', counts.OrderByDescending(entry => entry.Value).ThenBy(entry => entry.Key, StringComparer.Ordinal)
            .Select(entry => $"{entry.Value} x {entry.Key}"));
    }

    internal static void Made(Tensor tensor)
    {
        if (s_watching)
        {
            Watched.TryAdd(new WeakReference<Tensor>(tensor), 0);
        }
    }

    private static (long Count, long Bytes) Read()
    {
        _ = Shim.tap_live(out long count, out long bytes);
        return (count, bytes);
    }
}
