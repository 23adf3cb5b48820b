using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Tapestry.Libp2p;

/// <summary>Public keys on secp256k1 in their compressed form, which the base library does not read.</summary>
/// <remarks>SEC 1, section 2.3.4, and SEC 2, section 2.4.1: y² = x³ + 7 modulo p, with p ≡ 3 (mod 4), so a root is a power.</remarks>
internal static class Secp256k1Key
{
    /// <summary>The length of a compressed point, in bytes.</summary>
    internal const int Length = 1 + CoordinateLength;

    private const int CoordinateLength = 32;
    private const byte EvenPrefix = 2;
    private const byte OddPrefix = 3;

    private static readonly BigInteger Prime = BigInteger.Parse(
        "0FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private static readonly ECCurve Curve = ECCurve.CreateFromValue("1.3.132.0.10");

    /// <summary>The key, or null when the bytes are not a point of the curve.</summary>
    internal static ECDsa? Import(ReadOnlySpan<byte> compressed)
    {
        if (compressed.Length != Length || compressed[0] is not (EvenPrefix or OddPrefix))
        {
            return null;
        }

        BigInteger x = new(compressed[1..], isUnsigned: true, isBigEndian: true);
        BigInteger square = (BigInteger.ModPow(x, 3, Prime) + 7) % Prime;
        BigInteger y = BigInteger.ModPow(square, (Prime + 1) / 4, Prime);
        if (x >= Prime || BigInteger.ModPow(y, 2, Prime) != square)
        {
            return null;
        }

        if (y.IsEven != (compressed[0] == EvenPrefix))
        {
            y = Prime - y;
        }

        byte[] yBytes = new byte[CoordinateLength];
        byte[] significant = y.ToByteArray(isUnsigned: true, isBigEndian: true);
        significant.CopyTo(yBytes, CoordinateLength - significant.Length);
        try
        {
            return ECDsa.Create(new ECParameters { Curve = Curve, Q = new ECPoint { X = compressed[1..].ToArray(), Y = yBytes } });
        }
        catch (Exception missing) when (missing is CryptographicException or PlatformNotSupportedException)
        {
            // Some builds of OpenSSL leave this curve out; then nobody with such a key is known to us.
            return null;
        }
    }
}
