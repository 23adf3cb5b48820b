using System.Runtime.InteropServices;

namespace Tapestry.Torch;

/// <summary>A number as PyTorch sees it: an integer keeps an integer tensor integer. Passed by value; no native object.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly struct Scalar : IEquatable<Scalar>
{
    private readonly double _real;
    private readonly long _integer;
    private readonly int _isInteger;

    private Scalar(double real, long integer, int isInteger)
    {
        _real = real;
        _integer = integer;
        _isInteger = isInteger;
    }

    /// <summary>Whether this is an integer.</summary>
    public bool IsInteger => _isInteger != 0;

    /// <summary>An integer.</summary>
    public static implicit operator Scalar(int value) => new(value, value, 1);

    /// <summary>An integer.</summary>
    public static implicit operator Scalar(long value) => new(value, value, 1);

    /// <summary>A real number.</summary>
    public static implicit operator Scalar(float value) => new(value, 0, 0);

    /// <summary>A real number.</summary>
    public static implicit operator Scalar(double value) => new(value, 0, 0);

    /// <summary>Zero or one.</summary>
    public static implicit operator Scalar(bool value) => new(value ? 1 : 0, value ? 1 : 0, 1);

    /// <summary>Whether two numbers are the same, kind included.</summary>
    public static bool operator ==(Scalar left, Scalar right) => left.Equals(right);

    /// <summary>Whether two numbers differ, or are of different kinds.</summary>
    public static bool operator !=(Scalar left, Scalar right) => !left.Equals(right);

    /// <summary>The value as a double.</summary>
    public double ToDouble() => IsInteger ? _integer : _real;

    /// <summary>The value as an integer; a real number is truncated.</summary>
    /// <exception cref="OverflowException">The value does not fit.</exception>
    public long ToInt64() => IsInteger ? _integer : checked((long)_real);

    /// <inheritdoc/>
    public bool Equals(Scalar other) =>
        _isInteger == other._isInteger && _integer == other._integer && _real.Equals(other._real);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Scalar other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_real, _integer, _isInteger);
}
