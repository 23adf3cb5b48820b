using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules;

public sealed class PeerIdTests
{
    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("Qm")]
    [InlineData("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5")]
    [InlineData("QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx50")]
    [InlineData("12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SAA")]
    [InlineData("xyz")]
    [InlineData("b")]
    [InlineData("bafzbeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqx")]
    [InlineData("bafybeie5745rpv2m6tjyuugywy4d5ewrqgqqhfnf445he3omzpjbx5xqxe")] // another codec
    public void Text_that_is_not_a_peer_id_is_refused(string text)
    {
        PeerId.TryParse(text, out _).Should().BeFalse();
        FluentActions.Invoking(() => PeerId.Parse(text)).Should().Throw<FormatException>();
    }

    [Theory]
    [InlineData("")]
    [InlineData("1220")]
    [InlineData("1119000000000000000000000000000000000000000000000000")] // another hash
    [InlineData("00020102")] // an identity hash of what is no key
    [InlineData("0026080112220000000000000000000000000000000000000000000000000000000000000000000000")] // an Ed25519 key of 34 bytes
    [InlineData("00241220000000000000000000000000000000000000000000000000000000000000000000000801")] // fields in another order
    public void Bytes_that_are_not_a_peer_id_are_refused(string hex) =>
        PeerId.TryRead(Convert.FromHexString(hex), out _).Should().BeFalse();

    [Fact]
    public void Text_of_up_to_a_few_hundred_characters_never_throws() =>
        Prop.ForAll<string>(text => !PeerId.TryParse(text, out PeerId? peer) || PeerId.Parse(peer.ToString()) == peer)
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Base58_decodes_what_it_encodes() =>
        Prop.ForAll<byte[]>(bytes => bytes.Length > 90
            || (Base58.TryDecode(Base58.Encode(bytes), out byte[]? decoded) && decoded.SequenceEqual(bytes)))
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Base32_has_one_text_for_its_bytes()
    {
        Base32.TryDecode("mz", out _).Should().BeFalse("the last digit holds bits of no byte");
        Base32.TryDecode("mzxw6y", out _).Should().BeFalse("six digits do not end on a byte");
        Base32.TryDecode("m1", out _).Should().BeFalse("1 is not in the alphabet");
        Prop.ForAll<byte[]>(bytes => bytes.Length > 70
            || (Base32.TryDecode(Base32.Encode(bytes), out byte[]? decoded) && decoded.SequenceEqual(bytes)))
            .QuickCheckThrowOnFailure();
    }
}
