using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>A certificate is q distinct seats over one vote, and nothing less.</summary>
public sealed class CertificateTests
{
    private static readonly SigningKey[] Seats = Samples.Keys(4);
    private static readonly Committee Four = Samples.Committee(Seats);
    private static readonly Instance Place = new Samples(1).Instance(AgreementKind.Set, Four);

    [Theory]
    [InlineData(VoteKind.Notarize)]
    [InlineData(VoteKind.Nullify)]
    [InlineData(VoteKind.Finalize)]
    public void A_quorum_verifies(VoteKind kind)
    {
        Certify(Seats[..3], kind).Verify(Four).Should().BeTrue();
        Certify(Seats, kind).Verify(Four).Should().BeTrue();
    }

    [Fact]
    public void Fewer_than_a_quorum_do_not_verify() => Certify(Seats[..2]).Verify(Four).Should().BeFalse();

    [Fact]
    public void One_seat_counts_once()
    {
        Certificate certificate = Certify(Seats[..3]);
        (certificate with { Votes = [certificate.Votes[0], certificate.Votes[0], certificate.Votes[1]] }).Verify(Four).Should().BeFalse();
    }

    [Fact]
    public void A_stranger_does_not_count() => Certify([.. Seats[..2], Samples.Key(50)]).Verify(Four).Should().BeFalse();

    [Fact]
    public void Another_committee_does_not_count() => Certify(Seats[..3]).Verify(Samples.Committee(Seats[..3])).Should().BeFalse();

    [Fact]
    public void A_vote_of_another_kind_view_value_or_place_does_not_count()
    {
        Certificate certificate = Certify(Seats[..3]);
        (certificate with { Kind = VoteKind.Finalize }).Verify(Four).Should().BeFalse();
        (certificate with { View = 2 }).Verify(Four).Should().BeFalse();
        (certificate with { Value = new Samples(9).Digest() }).Verify(Four).Should().BeFalse();
        (certificate with { Instance = Place with { Attempt = Place.Attempt + 1 } }).Verify(Four).Should().BeFalse();
    }

    [Fact]
    public void Only_verified_messages_come_out_of_verification()
    {
        Certificate bad = Certify(Seats[..2]);
        PeerMessage.TryVerify(new PeerMessage.Certified(bad).Encode().Span, Four, out PeerMessage? message).Should().Be(MessageFault.BadCertificate);
        message.Should().BeNull();
        SignedStatement forged = new Samples(1).Sign(new Statement.Nullify(1), Seats[0], Four) with { Author = Samples.Id(Seats[1]) };
        PeerMessage.TryVerify(new PeerMessage.Signed(forged).Encode().Span, Four, out message).Should().Be(MessageFault.BadSignature);
        message.Should().BeNull();
        PeerMessage.TryVerify(new PeerMessage.Certified(Certify(Seats[..3])).Encode().Span, Four, out message).Should().Be(MessageFault.None);
        message.Should().NotBeNull();
    }

    private static Certificate Certify(SigningKey[] signers, VoteKind kind = VoteKind.Notarize) =>
        new Samples(2).Certify(signers, kind, Place, 1);
}
