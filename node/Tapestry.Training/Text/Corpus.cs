using System.Collections.Immutable;

namespace Tapestry.Training.Text;

/// <summary>Text files split by document into training and held-out text.</summary>
/// <remarks>specs/60-training.md, section 5.</remarks>
public sealed class Corpus : IDisposable
{
    private readonly List<TextFile> _files = [];

    private Corpus(CorpusOptions options) => Options = options;

    /// <summary>How it was opened.</summary>
    public CorpusOptions Options { get; }

    /// <summary>The training text, one stream a file, in the order given.</summary>
    public ImmutableArray<TokenStream> Training { get; private set; } = [];

    /// <summary>The held-out text, one stream a file, in the order given; some may be empty.</summary>
    public ImmutableArray<TokenStream> HeldOut { get; private set; } = [];

    /// <summary>Opens and checks files.</summary>
    /// <param name="paths">At least one; text, or JSON Lines where the name ends in .jsonl.</param>
    /// <param name="options">How to read and split them.</param>
    /// <exception cref="InputFileException">A file cannot be used; the message names it and the byte.</exception>
    /// <exception cref="ArgumentException">No file, the same file twice, or a fraction out of range.</exception>
    public static Corpus Open(IReadOnlyList<string> paths, CorpusOptions options)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(options);
        if (paths.Count == 0)
        {
            throw new ArgumentException("A corpus needs at least one file.", nameof(paths));
        }

        if (paths.Distinct(StringComparer.Ordinal).Count() != paths.Count)
        {
            throw new ArgumentException("A corpus lists the same file twice.", nameof(paths));
        }

        if (options.HeldOutFraction is not (>= 0 and <= 0.9))
        {
            throw new ArgumentException($"The held-out fraction is {options.HeldOutFraction}; it must be 0 to 0.9.", nameof(options));
        }

        Corpus corpus = new(options);
        try
        {
            foreach (string path in paths)
            {
                corpus.Add(path);
            }

            return corpus;
        }
        catch
        {
            corpus.Dispose();
            throw;
        }
    }

    /// <summary>Unmaps the files. No stream may be read afterwards.</summary>
    public void Dispose()
    {
        foreach (TextFile file in _files)
        {
            file.Dispose();
        }
    }

    private void Add(string path)
    {
        if (!File.Exists(path))
        {
            throw new InputFileException(path, -1, "there is no such file.");
        }

        TextFile file = new(path, Options.Documents);
        _files.Add(file);
        HashSet<int> heldOut = HeldOutDocuments(file.Documents.Count);
        int[] all = [.. Enumerable.Range(0, file.Documents.Count)];
        Training = Training.Add(new TokenStream(file, [.. all.Where(document => !heldOut.Contains(document))]));
        HeldOut = HeldOut.Add(new TokenStream(file, [.. all.Where(heldOut.Contains)]));
    }

    // The documents with the smallest draws. A draw depends on the document's number alone, so translations of one
    // text lose the same articles, and none is learned from its translation.
    private HashSet<int> HeldOutDocuments(int documentCount)
    {
        int count = (int)Math.Round(documentCount * Options.HeldOutFraction, MidpointRounding.AwayFromZero);
        count = Math.Min(count, documentCount - 1);
        ulong seed = unchecked((ulong)Options.SplitSeed);
        return [.. Enumerable.Range(0, documentCount)
            .OrderBy(document => CounterRandom.At(seed, (ulong)document))
            .ThenBy(document => document)
            .Take(count)];
    }
}
