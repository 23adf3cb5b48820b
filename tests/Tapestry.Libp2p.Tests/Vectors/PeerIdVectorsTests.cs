using FluentAssertions;
using Tapestry.Crypto;
using Xunit;

namespace Tapestry.Libp2p.Tests.Vectors;

/// <summary>Keys and peer ids of libp2p/specs, peer-ids/peer-ids.md; the Ed25519 peer id as js-libp2p derives it.</summary>
public sealed class PeerIdVectorsTests
{
    private const string Ed25519PrivateKey =
        "080112407e0830617c4a7de83925dfb2694556b12936c477a0e1feb2e148ec9da60fee7d1ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e";

    private const string Ed25519PublicKey = "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e";

    private const string EcdsaPublicKey =
        "0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83abab44abf3161f162a4bc901d8e6ecda020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9f77c409e62";

    private const string Secp256k1PublicKey = "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99";

    private const string RsaPublicKey =
        "080012a60430820222300d06092a864886f70d01010105000382020f003082020a0282020100e1beab071d08200bde24eef00d049449b07770ff9910257b2d7d5dda242ce8f0e2f12e1af4b32d9efd2c090f66b0f29986dbb645dae9880089704a94e5066d594162ae6ee8892e6ec70701db0a6c445c04778eb3de1293aa1a23c3825b85c6620a2bc3f82f9b0c309bc0ab3aeb1873282bebd3da03c33e76c21e9beb172fd44c9e43be32e2c99827033cf8d0f0c606f4579326c930eb4e854395ad941256542c793902185153c474bed109d6ff5141ebf9cd256cf58893a37f83729f97e7cb435ec679d2e33901d27bb35aa0d7e20561da08885ef0abbf8e2fb48d6a5487047a9ecb1ad41fa7ed84f6e3e8ecd5d98b3982d2a901b4454991766da295ab78822add5612a2df83bcee814cf50973e80d7ef38111b1bd87da2ae92438a2c8cbcc70b31ee319939a3b9c761dbc13b5c086d6b64bf7ae7dacc14622375d92a8ff9af7eb962162bbddebf90acb32adb5e4e4029f1c96019949ecfbfeffd7ac1e3fbcc6b6168c34be3d5a2e5999fcbb39bba7adbca78eab09b9bc39f7fa4b93411f4cc175e70c0a083e96bfaefb04a9580b4753c1738a6a760ae1afd851a1a4bdad231cf56e9284d832483df215a46c1c21bdf0c6cfe951c18f1ee4078c79c13d63edb6e14feaeffabc90ad317e4875fe648101b0864097e998f0ca3025ef9638cd2b0caecd3770ab54a1d9c6ca959b0f5dcbc90caeefc4135baca6fd475224269bbe1b0203010001";

    [Theory]
    [InlineData(Ed25519PublicKey, IdentityKeyType.Ed25519, 0x00)]
    [InlineData(Secp256k1PublicKey, IdentityKeyType.Secp256k1, 0x00)]
    [InlineData(EcdsaPublicKey, IdentityKeyType.Ecdsa, 0x12)]
    [InlineData(RsaPublicKey, IdentityKeyType.Rsa, 0x12)]
    public void Keys_read_and_encode_to_the_same_bytes(string hex, IdentityKeyType type, byte multihashCode)
    {
        byte[] encoded = Convert.FromHexString(hex);

        IdentityKey.TryRead(encoded, out IdentityKey? key).Should().BeTrue();
        key!.Type.Should().Be(type);
        key.Encoded.ToArray().Should().Equal(encoded);
        PeerId.From(key).Bytes[0].Should().Be(multihashCode, "keys of up to 42 bytes are held in the id itself");
    }

    [Fact]
    public void The_private_key_gives_the_public_key_and_the_peer_id_that_js_libp2p_derives()
    {
        byte[] seed = Convert.FromHexString(Ed25519PrivateKey)[4..36];
        using Libp2pIdentity identity = new(SigningKey.FromSeed(seed));

        Convert.ToHexStringLower(identity.PublicKey.Encoded).Should().Be(Ed25519PublicKey);
        identity.PeerId.ToString().Should().Be("12D3KooWBtg3aaRMjxwedh83aGiUkwSxDwUZkzuJcfaqUmo7R3pq");
    }

    [Fact]
    public void Both_text_forms_of_one_peer_parse_to_one_id()
    {
        PeerId fromCid = PeerId.Parse("bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe");
        PeerId fromBase58 = PeerId.Parse("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");

        fromCid.Should().Be(fromBase58);
        fromCid.GetHashCode().Should().Be(fromBase58.GetHashCode());
        fromBase58.ToCid().Should().Be("bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe");
        fromCid.ToString().Should().Be("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N");
    }

    [Fact]
    public void An_Ed25519_id_contains_its_key()
    {
        PeerId peer = PeerId.Parse("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA");

        peer.TryGetEd25519(out PublicKey key).Should().BeTrue();
        PeerId.From(key).Should().Be(peer);
    }
}
