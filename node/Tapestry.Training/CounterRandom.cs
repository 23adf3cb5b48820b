namespace Tapestry.Training;

/// <summary>A random function: draw <c>n</c> of a seed, without any state to keep.</summary>
/// <remarks>
/// SplitMix64 (Steele, Lea and Flood 2014), whose n-th output depends only on seed and n. So a sampler's whole state is
/// a count, and any part of an initial base can be generated alone. Integers only: the same on every machine.
/// </remarks>
internal static class CounterRandom
{
    private const ulong Gamma = 0x9E3779B97F4A7C15;

    /// <summary>Draw <paramref name="index"/> of <paramref name="seed"/>: 64 uniform bits.</summary>
    internal static ulong At(ulong seed, ulong index)
    {
        unchecked // The wrap-around is the algorithm.
        {
            // The seed is mixed first, so that neighbouring seeds do not give shifted copies of one sequence.
            return Mix(Mix(seed) + ((index + 1) * Gamma));
        }
    }

    /// <summary>Draw <paramref name="index"/> of <paramref name="seed"/>, below <paramref name="bound"/>.</summary>
    /// <remarks>Multiply and shift; the bias is below bound / 2^64.</remarks>
    internal static long Below(long bound, ulong seed, ulong index)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (long)Math.BigMul(At(seed, index), (ulong)bound, out _);
    }

    private static ulong Mix(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
