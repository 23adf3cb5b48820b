using FluentAssertions;
using Xunit;

namespace Tapestry.Crypto.Tests.Vectors;

public sealed class X25519Tests
{
    /// <summary>RFC 7748, section 5.2.</summary>
    [Theory]
    [InlineData(
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")]
    [InlineData(
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")]
    public void Multiplication_is_that_of_the_rfc(string scalar, string u, string result)
    {
        using X25519Key key = X25519Key.FromSecret(Hex.Bytes(scalar));
        byte[] shared = new byte[X25519Key.Length];
        key.TryAgree(Hex.Bytes(u), shared).Should().BeTrue();
        Convert.ToHexStringLower(shared).Should().Be(result);
    }

    /// <summary>RFC 7748, section 5.2: the iterated vector, after 1 and 1,000 iterations.</summary>
    [Theory]
    [InlineData(1, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079")]
    [InlineData(1000, "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51")]
    public void Iteration_is_that_of_the_rfc(int iterations, string result)
    {
        byte[] k = new byte[X25519Key.Length];
        k[0] = 9;
        byte[] u = [.. k];
        for (int i = 0; i < iterations; i++)
        {
            byte[] next = new byte[X25519Key.Length];
            using X25519Key key = X25519Key.FromSecret(k);
            key.TryAgree(u, next).Should().BeTrue();
            u = k;
            k = next;
        }

        Convert.ToHexStringLower(k).Should().Be(result);
    }

    /// <summary>RFC 7748, section 6.1.</summary>
    [Fact]
    public void Both_sides_agree_on_the_secret_of_the_rfc()
    {
        using X25519Key alice = X25519Key.FromSecret(Hex.Bytes("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"));
        using X25519Key bob = X25519Key.FromSecret(Hex.Bytes("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
        Convert.ToHexStringLower(alice.PublicKey).Should().Be("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
        Convert.ToHexStringLower(bob.PublicKey).Should().Be("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");

        byte[] atAlice = new byte[X25519Key.Length];
        byte[] atBob = new byte[X25519Key.Length];
        alice.TryAgree(bob.PublicKey, atAlice).Should().BeTrue();
        bob.TryAgree(alice.PublicKey, atBob).Should().BeTrue();
        Convert.ToHexStringLower(atAlice).Should().Be("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
        atBob.Should().Equal(atAlice);
    }

    /// <summary>RFC 7748, section 6.1: points of low order give the all-zero secret.</summary>
    [Theory]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("0100000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")]
    [InlineData("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")]
    [InlineData("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")]
    [InlineData("00")]
    public void A_point_of_low_order_or_of_a_wrong_length_is_refused(string publicKey)
    {
        using X25519Key key = X25519Key.FromSecret(Hex.Range(1, 32));
        byte[] shared = Hex.Range(1, 32);
        key.TryAgree(Hex.Bytes(publicKey), shared).Should().BeFalse();
        shared.Should().OnlyContain(value => value == 0);
    }
}
