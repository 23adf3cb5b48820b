namespace Tapestry.Training.Text;

/// <summary>Draws windows of training text: which ones depends on the seed and on how many were drawn, on nothing else.</summary>
/// <remarks>So the whole state is <see cref="Drawn"/>, and a resumed run sees what an uninterrupted one would have seen.</remarks>
public sealed class BatchSampler
{
    private readonly Corpus _corpus;
    private readonly ulong _seed;
    private readonly long[] _weightEnds; // Running sums of the files' weights.

    /// <summary>Samples the training text of <paramref name="corpus"/>, which must outlive the sampler.</summary>
    public BatchSampler(Corpus corpus, long seed)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        _corpus = corpus;
        _seed = unchecked((ulong)seed);
        _weightEnds = new long[corpus.Training.Length];
        long sum = 0;
        for (int i = 0; i < _weightEnds.Length; i++)
        {
            sum += corpus.Options.Balance == CorpusBalance.ByFile ? 1 : corpus.Training[i].TokenCount;
            _weightEnds[i] = sum;
        }
    }

    /// <summary>Windows drawn so far. Set it to go on from a saved place.</summary>
    public long Drawn { get; set; }

    /// <summary>Draws <paramref name="sequences"/> windows.</summary>
    /// <param name="sequences">B, rows.</param>
    /// <param name="tokens">The result, [B, n] row-major, where n is whatever the length gives.</param>
    /// <exception cref="ArgumentException">The length is no multiple of <paramref name="sequences"/>.</exception>
    public void Fill(int sequences, Span<long> tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sequences);
        if (tokens.Length % sequences != 0)
        {
            throw new ArgumentException($"{tokens.Length} places are no multiple of {sequences} rows.", nameof(tokens));
        }

        int length = tokens.Length / sequences;
        for (int row = 0; row < sequences; row++)
        {
            TokenStream stream = DrawStream((ulong)Drawn * 2);
            long position = CounterRandom.Below(stream.TokenCount, _seed, ((ulong)Drawn * 2) + 1);
            stream.Read(position, tokens.Slice(row * length, length));
            Drawn++;
        }
    }

    private TokenStream DrawStream(ulong draw)
    {
        long at = CounterRandom.Below(_weightEnds[^1], _seed, draw);
        int file = Array.FindIndex(_weightEnds, end => at < end);
        return _corpus.Training[file];
    }
}
