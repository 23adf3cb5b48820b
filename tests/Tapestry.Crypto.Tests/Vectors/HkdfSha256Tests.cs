using FluentAssertions;
using Xunit;

namespace Tapestry.Crypto.Tests.Vectors;

/// <summary>RFC 5869, appendix A.1 to A.3.</summary>
public sealed class HkdfSha256Tests
{
    [Fact]
    public void Basic_case_is_that_of_appendix_A1() => Check(
        Enumerable.Repeat((byte)0x0b, 22).ToArray(),
        Hex.Range(0x00, 0x0c),
        Hex.Range(0xf0, 0xf9),
        "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");

    [Fact]
    public void Longer_inputs_and_outputs_are_those_of_appendix_A2() => Check(
        Hex.Range(0x00, 0x4f),
        Hex.Range(0x60, 0xaf),
        Hex.Range(0xb0, 0xff),
        "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        + "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");

    [Fact]
    public void Empty_salt_and_info_are_those_of_appendix_A3() => Check(
        Enumerable.Repeat((byte)0x0b, 22).ToArray(),
        [],
        [],
        "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");

    private static void Check(byte[] inputKey, byte[] salt, byte[] info, string pseudorandomKey, string output)
    {
        byte[] extracted = new byte[HkdfSha256.KeyLength];
        HkdfSha256.Extract(inputKey, salt, extracted);
        Convert.ToHexStringLower(extracted).Should().Be(pseudorandomKey);

        byte[] expanded = new byte[output.Length / 2];
        HkdfSha256.Expand(extracted, info, expanded);
        Convert.ToHexStringLower(expanded).Should().Be(output);

        byte[] derived = new byte[expanded.Length];
        HkdfSha256.DeriveKey(inputKey, salt, info, derived);
        derived.Should().Equal(expanded);
    }
}
