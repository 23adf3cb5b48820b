namespace Tapestry.Fuzz;

/// <summary>Random numbers of one input: the same on every machine for the same seed, target and index.</summary>
/// <remarks>SplitMix64 (Steele, Lea, Flood 2014). Each input has its own stream, so one can be made again without those before it.</remarks>
internal struct InputRandom
{
    private ulong _state;

    /// <summary>The stream of one input.</summary>
    public InputRandom(long seed, string target, long index)
    {
        unchecked
        {
            _state = (ulong)seed;
            foreach (char letter in target)
            {
                _state = (_state ^ letter) * 0x100000001B3;
            }

            _state = Next64() + (ulong)index;
            _state = Next64();
        }
    }

    /// <summary>A number from 0 to below <paramref name="bound"/>, which is at least 1.</summary>
    public int Next(int bound) => (int)(Next64() % (ulong)bound);

    /// <summary>64 random bits.</summary>
    public ulong Next64()
    {
        unchecked
        {
            ulong mixed = _state += 0x9E3779B97F4A7C15;
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            return mixed ^ (mixed >> 31);
        }
    }
}
