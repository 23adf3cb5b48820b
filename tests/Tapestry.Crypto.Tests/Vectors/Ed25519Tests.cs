using System.Numerics;
using FluentAssertions;
using Xunit;

namespace Tapestry.Crypto.Tests.Vectors;

public sealed class Ed25519Tests
{
    // 2^252 + 27742317777372353535851937790883648493, RFC 8032, section 5.1.
    private static readonly BigInteger GroupOrder =
        BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>RFC 8032, section 7.1: TEST 1, 2, 3 and SHA(abc).</summary>
    [Theory]
    [InlineData(
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData(
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
    [InlineData(
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]
    [InlineData(
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704")]
    public void Key_and_signature_are_those_of_the_rfc(string seed, string publicKey, string message, string signature)
    {
        using SigningKey key = SigningKey.FromSeed(Hex.Bytes(seed));
        key.PublicKey.ToString().Should().Be(publicKey);
        key.Sign(Hex.Bytes(message)).ToString().Should().Be(signature);
        Ed25519.Verify(key.PublicKey, Hex.Bytes(message), new Signature(Hex.Bytes(signature))).Should().BeTrue();
        Ed25519.IsUsable(key.PublicKey).Should().BeTrue();
    }

    /// <summary>Made by OpenSSL 3.0: seed 00 to 1f, messages whose bytes count up and start again after 250.</summary>
    [Theory]
    [InlineData(4095, "c09649c81a4dbe8e52c5b4495f96ae5bf5b5d54f80404e1df6851a8428dea0825472db207777f9d9ccf24baa8cc31a327551c794053a1e8b0ec52830574b5f04")]
    [InlineData(4096, "2dbff20b5e5db5b9f341bba5fdeeee0ea9e120b4bd51d2d4cf232dbd889b4b91682e0b1c8aa0e12df2fad7fef40fb5445bafc1e7c0d77c6a0792a7015a11680b")]
    [InlineData(65536, "a5c4475915f19043621118e10c7ec5e958b6ac588da6fe43f2da50cfdd68e467efee7b768ef1ab2769b67cc3b8fdd6df8e06755af2e827b133a4b1a89c750a0f")]
    public void Long_messages_have_the_signature_that_others_make(int length, string signature)
    {
        using SigningKey key = SigningKey.FromSeed(Hex.Range(0, 31));
        byte[] message = [.. Enumerable.Range(0, length).Select(place => (byte)(place % 251))];
        key.Sign(message).ToString().Should().Be(signature);
        VerifyingKey.TryFrom(key.PublicKey, out VerifyingKey? verifying).Should().BeTrue();
        verifying!.Verify(message, new Signature(Hex.Bytes(signature))).Should().BeTrue();
        verifying.Verify(message.AsSpan(1), new Signature(Hex.Bytes(signature))).Should().BeFalse();
        verifying.PublicKey.Should().Be(key.PublicKey);
    }

    [Fact]
    public void Any_changed_bit_is_refused()
    {
        using SigningKey key = SigningKey.FromSeed(Hex.Range(0, 31));
        byte[] message = Hex.Range(0, 40);
        byte[] good = key.Sign(message).ToArray();
        for (int bit = 0; bit < 8 * good.Length; bit++)
        {
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            Ed25519.Verify(key.PublicKey, message, new Signature(bad)).Should().BeFalse("bit {0} is flipped", bit);
        }

        Ed25519.Verify(key.PublicKey, message.AsSpan(1), new Signature(good)).Should().BeFalse();
    }

    [Fact]
    public void S_plus_the_group_order_is_refused()
    {
        using SigningKey key = SigningKey.FromSeed(Hex.Range(0, 31));
        byte[] bytes = key.Sign("message"u8).ToArray();
        BigInteger s = new(bytes.AsSpan(32), isUnsigned: true);
        bytes.AsSpan(32).Clear();
        (s + GroupOrder).TryWriteBytes(bytes.AsSpan(32), out _, isUnsigned: true).Should().BeTrue();
        Ed25519.Verify(key.PublicKey, "message"u8, new Signature(bytes)).Should().BeFalse();
    }
}
