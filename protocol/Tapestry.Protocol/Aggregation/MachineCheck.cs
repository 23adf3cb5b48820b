using System.Runtime.CompilerServices;

namespace Tapestry.Protocol.Aggregation;

/// <summary>Why a machine, as it stands, cannot compute the bytes that all others compute.</summary>
public enum MachineFault : byte
{
    /// <summary>It can.</summary>
    None = 0,

    /// <summary>It keeps numbers big-endian; bases and shards are little-endian.</summary>
    BigEndian = 1,

    /// <summary>Subnormal numbers are flushed to zero: some library was built with fast-math and changed the thread's mode.</summary>
    FlushesSubnormals = 2,

    /// <summary>Results are not rounded to nearest, ties to even.</summary>
    WrongRounding = 3,

    /// <summary>A product and a sum are rounded once instead of twice.</summary>
    FusesMultiplyAdd = 4,
}

/// <summary>Tries, on the thread that asks, that arithmetic is what the rules assume.</summary>
/// <remarks>specs/30-rounds.md, section 13. To be asked at start and by each thread that aggregates: the mode belongs to a thread.</remarks>
public static class MachineCheck
{
    /// <summary>The first fault found.</summary>
    public static MachineFault Check()
    {
        if (!BitConverter.IsLittleEndian)
        {
            return MachineFault.BigEndian;
        }

        bool keepsSubnormals = Multiply(1.17549435e-38f, 0.5f) > 0
            && Multiply(2.2250738585072014e-308, 0.5) > 0
            && Add(float.Epsilon, float.Epsilon) == 2 * (double)float.Epsilon
            && Multiply(float.Epsilon, 2f) > 0;
        if (!keepsSubnormals)
        {
            return MachineFault.FlushesSubnormals;
        }

        // Half an ulp above an even and above an odd number: down, then up.
        const double ulp = 2.220446049250313e-16;
        bool roundsToEven = Add(1, ulp / 2) == 1 && Add(1 + ulp, ulp / 2) == 1 + (2 * ulp) && Add(-1, -ulp / 2) == -1;
        if (!roundsToEven)
        {
            return MachineFault.WrongRounding;
        }

        // (1 + u)^2 - (1 + 2u) is 0 when the product is rounded first, and u^2 when it is not.
        return MultiplyAdd(1 + ulp, 1 + ulp, -(1 + (2 * ulp))) == 0 ? MachineFault.None : MachineFault.FusesMultiplyAdd;
    }

    // Not inlined, so that the machine computes and not the compiler.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Multiply(float left, float right) => left * right;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Multiply(double left, double right) => left * right;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double Add(double left, double right) => left + right;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Add(float left, float right) => left + right;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static double MultiplyAdd(double left, double right, double addend) => (left * right) + addend;
}
