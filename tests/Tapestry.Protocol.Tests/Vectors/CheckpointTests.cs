using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Ledger;
using Xunit;

namespace Tapestry.Protocol.Tests.Vectors;

/// <summary>C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint).</summary>
public sealed class CheckpointTests
{
    // The example that opens the specification.
    private const string Example = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    [Fact]
    public void The_example_of_the_specification_is_read_and_written_the_same()
    {
        Checkpoint.TryParse(Example, out Checkpoint? checkpoint).Should().BeTrue();
        checkpoint!.Origin.Should().Be("example.com/behind-the-sofa");
        checkpoint.Size.Should().Be(20_852_163);
        checkpoint.Root.ToString().Should().Be("0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62");
        checkpoint.ToText().Should().Be(Example);
    }

    [Theory]
    [InlineData("")]
    [InlineData("origin\n0\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")]
    [InlineData("origin\n0\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nextension\n")]
    [InlineData("\n0\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("two words\n0\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("origin\n\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("origin\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("origin\n-1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("origin\n+1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("origin\n1e3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("origin\n99999999999999999999\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("origin\n72057594037927937\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n")]
    [InlineData("origin\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n")]
    [InlineData("origin\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n")]
    public void Text_that_is_no_checkpoint_is_refused(string text) => Checkpoint.TryParse(text, out _).Should().BeFalse();

    [Fact]
    public void A_signed_checkpoint_verifies_under_its_ledgers_key_only()
    {
        using SigningKey key = SigningKey.FromSeed(new byte[32]);
        using SigningKey other = SigningKey.FromSeed(Enumerable.Repeat((byte)1, 32).ToArray());
        Checkpoint head = new("tapestry-test/ledger/v1", 5, Digest.Of("root"u8));
        byte[] bytes = head.Sign(key).ToArray();

        Checkpoint.TryVerify(bytes, new NoteKey(head.Origin, key.PublicKey), out Checkpoint? read).Should().BeTrue();
        read.Should().Be(head);
        Checkpoint.TryVerify(bytes, new NoteKey(head.Origin, other.PublicKey), out _).Should().BeFalse();
        Checkpoint.TryVerify(bytes, new NoteKey("tapestry-other/ledger/v1", key.PublicKey), out _).Should().BeFalse();
    }

    [Fact]
    public void A_checkpoint_of_another_origin_signed_by_the_ledgers_key_is_refused()
    {
        using SigningKey key = SigningKey.FromSeed(new byte[32]);
        Checkpoint foreign = new("tapestry-other/ledger/v1", 5, Digest.Zero);
        SignedNote note = SignedNote.Sign(foreign.ToText(), "tapestry-test/ledger/v1", key);
        Checkpoint.TryVerify(note.ToArray(), new NoteKey("tapestry-test/ledger/v1", key.PublicKey), out Checkpoint? read).Should().BeFalse();
        read.Should().BeNull();
    }
}
