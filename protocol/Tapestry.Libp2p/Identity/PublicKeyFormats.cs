using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;

namespace Tapestry.Libp2p;

/// <summary>Public keys in DER of PKIX, looked at before the base library is given them: only sizes and curves that we name.</summary>
internal static class PublicKeyFormats
{
    /// <summary>The shortest RSA key: what is taken for safe today, and the bound of go-libp2p.</summary>
    internal const int RsaBitsMin = 2048;

    /// <summary>The longest RSA key: verification takes time with the square of the length. The bound of go-libp2p.</summary>
    internal const int RsaBitsMax = 8192;

    private const string RsaEncryption = "1.2.840.113549.1.1.1";
    private const string EcPublicKey = "1.2.840.10045.2.1";

    // P-256, P-384, P-521: named curves only, since a key may not bring its own curve.
    private static readonly string[] Curves = ["1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35"];

    /// <summary>An RSA key, or null.</summary>
    internal static RSA? ImportRsa(ReadOnlySpan<byte> spki) =>
        TryReadAlgorithm(spki, out string algorithm, out _, out byte[] key) && algorithm == RsaEncryption && IsRsaKeyInBounds(key)
            ? Import(RSA.Create(), spki)
            : null;

    /// <summary>An ECDSA key on one of the NIST curves, or null.</summary>
    internal static ECDsa? ImportEcdsa(ReadOnlySpan<byte> spki) =>
        TryReadAlgorithm(spki, out string algorithm, out string? curve, out _) && algorithm == EcPublicKey && Curves.Contains(curve)
            ? Import(ECDsa.Create(), spki)
            : null;

    /// <summary>Whether a key that was imported here signed the message: RSA by PKCS #1 v1.5, ECDSA in DER.</summary>
    internal static bool Verify(AsymmetricAlgorithm key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature, HashAlgorithmName hash)
    {
        try
        {
            return key switch
            {
                RSA rsa => rsa.VerifyData(message, signature, hash, RSASignaturePadding.Pkcs1),
                ECDsa ecdsa => ecdsa.VerifyData(message, signature, hash, DSASignatureFormat.Rfc3279DerSequence),
                _ => false,
            };
        }
        catch (CryptographicException)
        {
            // A point that is on no curve, or a signature that is no signature.
            return false;
        }
    }

    private static T? Import<T>(T key, ReadOnlySpan<byte> spki)
        where T : AsymmetricAlgorithm
    {
        try
        {
            key.ImportSubjectPublicKeyInfo(spki, out int read);
            if (read == spki.Length)
            {
                return key;
            }
        }
        catch (CryptographicException)
        {
        }

        key.Dispose();
        return null;
    }

    private static bool TryReadAlgorithm(ReadOnlySpan<byte> spki, out string algorithm, out string? parameters, out byte[] key)
    {
        (algorithm, parameters, key) = ("", null, []);
        try
        {
            AsnReader outer = new(spki.ToArray(), AsnEncodingRules.DER);
            AsnReader sequence = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            AsnReader identifier = sequence.ReadSequence();
            algorithm = identifier.ReadObjectIdentifier();
            if (identifier.HasData && identifier.PeekTag() == Asn1Tag.ObjectIdentifier)
            {
                parameters = identifier.ReadObjectIdentifier();
            }

            key = sequence.ReadBitString(out int unusedBits);
            sequence.ThrowIfNotEmpty();
            return unusedBits == 0;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }

    private static bool IsRsaKeyInBounds(byte[] key)
    {
        try
        {
            AsnReader numbers = new AsnReader(key, AsnEncodingRules.DER).ReadSequence();
            BigInteger modulus = numbers.ReadInteger();
            BigInteger exponent = numbers.ReadInteger();
            return modulus.Sign > 0 && modulus.GetBitLength() is >= RsaBitsMin and <= RsaBitsMax
                && exponent > 2 && exponent <= int.MaxValue;
        }
        catch (AsnContentException)
        {
            return false;
        }
    }
}
