using System.Formats.Asn1;
using System.Security.Cryptography;
using FluentAssertions;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules;

/// <summary>Identities of every kind verify what their key signed, and keys out of bounds are refused before they cost anything.</summary>
public sealed class IdentityKeyTests
{
    private static readonly byte[] Message = "some message"u8.ToArray();

    [Fact]
    public void Ed25519_signatures_verify()
    {
        using Libp2pIdentity identity = Hosts.Identity(1);
        Verifies(identity.PublicKey, identity.Sign(Message).ToArray());
    }

    [Theory]
    [InlineData(2048)]
    [InlineData(3072)]
    public void RSA_signatures_verify(int bits)
    {
        using RSA rsa = RSA.Create(bits);
        Verifies(
            Key(IdentityKeyType.Rsa, rsa.ExportSubjectPublicKeyInfo()),
            rsa.SignData(Message, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    [Theory]
    [InlineData("1.2.840.10045.3.1.7")]
    [InlineData("1.3.132.0.34")]
    [InlineData("1.3.132.0.35")]
    public void ECDSA_signatures_verify(string curve)
    {
        using ECDsa ecdsa = ECDsa.Create(ECCurve.CreateFromValue(curve));
        Verifies(
            Key(IdentityKeyType.Ecdsa, ecdsa.ExportSubjectPublicKeyInfo()),
            ecdsa.SignData(Message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public void Secp256k1_signatures_verify_for_points_of_either_sign()
    {
        HashSet<byte> prefixes = [];
        while (prefixes.Count < 2)
        {
            using ECDsa ecdsa = ECDsa.Create(ECCurve.CreateFromValue("1.3.132.0.10"));
            ECPoint point = ecdsa.ExportParameters(false).Q;
            byte prefix = (byte)(2 + (point.Y![^1] & 1));
            prefixes.Add(prefix);
            Verifies(
                Key(IdentityKeyType.Secp256k1, [prefix, .. point.X!]),
                ecdsa.SignData(Message, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }
    }

    [Theory]
    [InlineData(1024, 65537)]
    [InlineData(8193, 65537)]
    [InlineData(2048, 1)]
    [InlineData(2048, 2)]
    public void RSA_keys_out_of_bounds_are_refused(int bits, int exponent)
    {
        byte[] modulus = new byte[(bits + 7) / 8];
        modulus[0] = (byte)(1 << ((bits - 1) % 8));
        modulus[^1] |= 1;
        AsnWriter numbers = new(AsnEncodingRules.DER);
        using (numbers.PushSequence())
        {
            numbers.WriteIntegerUnsigned(modulus);
            numbers.WriteInteger(exponent);
        }

        AsnWriter spki = new(AsnEncodingRules.DER);
        using (spki.PushSequence())
        {
            using (spki.PushSequence())
            {
                spki.WriteObjectIdentifier("1.2.840.113549.1.1.1");
                spki.WriteNull();
            }

            spki.WriteBitString(numbers.Encode());
        }

        Refused(Key(IdentityKeyType.Rsa, spki.Encode()));
    }

    [Fact]
    public void A_key_that_brings_its_own_curve_is_refused()
    {
        using ECDsa named = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa own = ECDsa.Create(named.ExportExplicitParameters(false));

        Refused(Key(IdentityKeyType.Ecdsa, own.ExportSubjectPublicKeyInfo()));
    }

    [Fact]
    public void Keys_of_one_kind_under_the_name_of_another_are_refused()
    {
        using ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] spki = ecdsa.ExportSubjectPublicKeyInfo();

        Refused(Key(IdentityKeyType.Rsa, spki));
        Refused(Key(IdentityKeyType.Secp256k1, spki));
        Refused(Key(IdentityKeyType.Ecdsa, [.. spki, 0]));
        Refused(Key(IdentityKeyType.Ecdsa, spki[..^1]));
    }

    [Fact]
    public void Bytes_that_are_no_point_of_secp256k1_are_refused()
    {
        byte[] x = new byte[32];
        Refused(Key(IdentityKeyType.Secp256k1, [2, .. x]));
        x.AsSpan().Fill(0xFF);
        Refused(Key(IdentityKeyType.Secp256k1, [2, .. x]));
        Refused(Key(IdentityKeyType.Secp256k1, [4, .. x]));
        Refused(Key(IdentityKeyType.Secp256k1, [2, .. x, 0]));
    }

    private static void Verifies(IdentityKey key, byte[] signature)
    {
        key.IsUsable.Should().BeTrue();
        key.Verify(Message, signature).Should().BeTrue();
        key.Verify([.. Message, 0], signature).Should().BeFalse();
        key.Verify(Message, signature.AsSpan(0, signature.Length - 1)).Should().BeFalse();
        key.Verify(Message, []).Should().BeFalse();
        key.Verify(Message, new byte[IdentityKey.MaximumSignatureLength + 1]).Should().BeFalse();
        signature[^1] ^= 1;
        key.Verify(Message, signature).Should().BeFalse();
    }

    private static void Refused(IdentityKey key)
    {
        key.IsUsable.Should().BeFalse();
        key.Verify(Message, new byte[64]).Should().BeFalse();
    }

    private static IdentityKey Key(IdentityKeyType type, byte[] data)
    {
        ProtobufWriter writer = new();
        writer.WriteUInt64(1, (ulong)type);
        writer.WriteBytes(2, data);
        IdentityKey.TryRead(writer.Written, out IdentityKey? key).Should().BeTrue();
        return key!;
    }
}
