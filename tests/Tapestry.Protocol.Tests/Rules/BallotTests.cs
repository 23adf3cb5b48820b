using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>f + 1 = 2 equal statements, whatever liars add and in whatever order it arrives.</summary>
public sealed class BallotTests
{
    private static readonly SigningKey[] Keys = Samples.Keys(4);
    private static readonly Instance Place = new(Digest.Of("n"u8), Digest.Of("p"u8), 1, 0, 0, AgreementKind.None, Digest.Of("c"u8));

    private readonly Ballot<ByteString> _ballot = new();

    [Fact]
    public void Two_signers_of_the_same_agree()
    {
        Count(0, 1);
        _ballot.Agreed.Should().BeNull();
        Count(1, 1);
        _ballot.Agreed.Should().Be(Said(1));
    }

    [Fact]
    public void One_signer_twice_does_not_agree_with_itself()
    {
        Count(0, 1);
        Count(0, 1).Should().BeFalse();
        _ballot.Agreed.Should().BeNull();
    }

    [Fact]
    public void A_liar_whose_lie_came_first_still_counts_for_the_truth()
    {
        Count(0, 9);
        Count(0, 1, out SignedStatement? conflicting).Should().BeTrue();
        conflicting.Should().NotBeNull();
        Count(1, 1);
        _ballot.Agreed.Should().Be(Said(1));
    }

    [Fact]
    public void A_third_opinion_counts_only_beside_another_signers()
    {
        Count(0, 7);
        Count(0, 8);
        Count(0, 1).Should().BeFalse();
        Count(1, 1);
        Count(0, 1).Should().BeTrue();
        _ballot.Agreed.Should().Be(Said(1));
    }

    private bool Count(int signer, byte said) => Count(signer, said, out _);

    private bool Count(int signer, byte said, out SignedStatement? conflicting)
    {
        Statement.Receipt receipt = new(Digest.Of("m"u8), 0, [new SliceSum(0, said)]);
        SignedStatement signed = SignedStatement.Sign(Place, Samples.Id(Keys[signer]), receipt, Keys[signer]);
        return _ballot.Count(Said(said), signed, 2, out conflicting);
    }

    private static ByteString Said(byte value) => ByteString.Own([value]);
}
