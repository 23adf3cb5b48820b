using System.Numerics;

namespace Tapestry.Sim;

/// <summary>A seeded stream of numbers: the same on every machine and in every version of the runtime.</summary>
/// <remarks>
/// xoshiro256** 1.0 by Blackman and Vigna (public domain, prng.di.unimi.it), its state filled by splitmix64. Each part of a world
/// has a stream of its own, so that a change in one part does not shift the numbers of the others.
/// </remarks>
public sealed class RandomStream
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    /// <summary>The stream of a part of a world.</summary>
    /// <param name="seed">The world's seed.</param>
    /// <param name="part">Which part; equal parts of equal seeds have equal streams.</param>
    public RandomStream(long seed, long part)
    {
        ulong state = unchecked((ulong)seed * 0x9E3779B97F4A7C15UL) ^ unchecked((ulong)part * 0xD1B54A32D192ED03UL);
        _a = SplitMix(ref state);
        _b = SplitMix(ref state);
        _c = SplitMix(ref state);
        _d = SplitMix(ref state);
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        unchecked
        {
            ulong result = BitOperations.RotateLeft(_b * 5, 7) * 9;
            ulong shifted = _b << 17;
            _c ^= _a;
            _d ^= _b;
            _b ^= _c;
            _a ^= _d;
            _c ^= shifted;
            _d = BitOperations.RotateLeft(_d, 45);
            return result;
        }
    }

    /// <summary>A number from 0 to below <paramref name="bound"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bound"/> is not positive.</exception>
    public long Below(long bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        return (long)Math.BigMul(Next(), (ulong)bound, out _);
    }

    /// <summary>A number from <paramref name="minimum"/> to <paramref name="maximum"/>, both included.</summary>
    public long Between(long minimum, long maximum) => minimum + Below(maximum - minimum + 1);

    /// <summary>Whether something of this probability happens.</summary>
    /// <param name="probability">From 0 to 1.</param>
    public bool Chance(double probability) => (Next() >> 11) * (1.0 / (1UL << 53)) < probability;

    private static ulong SplitMix(ref ulong state)
    {
        unchecked
        {
            state += 0x9E3779B97F4A7C15UL;
            ulong mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9UL;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
            return mixed ^ (mixed >> 31);
        }
    }
}
