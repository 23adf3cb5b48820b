using Tapestry.Training.Text;

namespace Tapestry.Training.Runs;

/// <summary>Draws tokens from logits, by a seed and a count.</summary>
internal sealed class TokenDraw(GeneratorOptions options)
{
    private ulong _drawn;

    /// <summary>One byte, or the closing special where that may end the text.</summary>
    /// <param name="logits">[V].</param>
    internal long Next(ReadOnlySpan<float> logits)
    {
        int[] candidates = Candidates(logits);
        if (options.Temperature == 0)
        {
            return candidates[0];
        }

        // Candidates are sorted, so the first has the largest logit and no exponential overflows.
        double[] weightEnds = new double[candidates.Length];
        double sum = 0;
        for (int i = 0; i < candidates.Length; i++)
        {
            sum += Math.Exp((logits[candidates[i]] - logits[candidates[0]]) / options.Temperature);
            weightEnds[i] = sum;
        }

        double uniform = (CounterRandom.At(unchecked((ulong)options.Seed), _drawn++) >> 11) * (1.0 / (1L << 53));
        int drawn = Array.FindIndex(weightEnds, end => uniform * sum < end);
        return candidates[Math.Max(drawn, 0)];
    }

    // What may be drawn, likeliest first: bytes, and the closing special where it ends the text.
    private int[] Candidates(ReadOnlySpan<float> logits)
    {
        float[] values = logits.ToArray();
        int allowed = options.StopAtEndOfText ? ByteTokenizer.EndOfText + 1 : ByteTokenizer.BeginOfText;
        IEnumerable<int> sorted = Enumerable.Range(0, allowed)
            .Where(token => token != ByteTokenizer.BeginOfText)
            .OrderByDescending(token => values[token])
            .ThenBy(token => token);
        return [.. options.TopK > 0 ? sorted.Take(options.TopK) : sorted];
    }
}
