namespace Tapestry.Protocol.Tests;

/// <summary>FP32 numbers made with integers alone, so that golden bytes rest on nothing but the rules.</summary>
internal sealed class Numbers(ulong seed)
{
    private ulong _state = seed;

    /// <summary>Uniform over 64 bits (splitmix64).</summary>
    internal ulong Next()
    {
        unchecked
        {
            _state += 0x9e3779b97f4a7c15;
            ulong mixed = (_state ^ (_state >> 30)) * 0xbf58476d1ce4e5b9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
            return mixed ^ (mixed >> 31);
        }
    }

    /// <summary>A number of 24 bits between -1 and 1, exactly.</summary>
    internal float Fraction() => ((int)(Next() >> 39) - (1 << 24)) * (1f / (1 << 24));

    internal float[] Fractions(int count, float scale = 1) => [.. Enumerable.Range(0, count).Select(_ => Fraction() * scale)];

    /// <summary>Finite numbers of every magnitude: random bits, subnormals, powers of two and their neighbours, zeros of both signs.</summary>
    internal float[] Varied(int count) => [.. Enumerable.Range(0, count).Select(_ => VariedNumber())];

    private float VariedNumber()
    {
        uint bits = (uint)(Next() >> 32);
        float number = BitConverter.UInt32BitsToSingle((Next() % 6) switch
        {
            0 => bits & 0x807f_ffff,
            1 => bits & 0xff80_0000,
            2 => (bits & 0xff80_0000) | 0x007f_ffff,
            3 => bits & 0x8000_0000,
            _ => bits,
        });
        return float.IsFinite(number) ? number : 1;
    }
}
