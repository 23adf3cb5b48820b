using FluentAssertions;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>The bounds fit each other: the largest of everything still fits what carries it.</summary>
public sealed class LimitsTests
{
    private static readonly Crypto.SigningKey LimitKey = Samples.Key(1);
    private static readonly Committee LimitCommittee = Samples.Committee([LimitKey]);

    [Fact]
    public void The_largest_manifest_fits_its_bound()
    {
        Samples samples = new(1);
        Statement.Manifest manifest = samples.Manifest(Limits.Slices, Limits.CatalogueEntries) with { Tokens = long.MaxValue, AuthorSequence = long.MaxValue };
        Encode(samples, manifest).Length.Should().BeLessThanOrEqualTo(Limits.ManifestBytes);
    }

    [Fact]
    public void The_largest_receipt_and_settlement_fit_a_message()
    {
        Samples samples = new(2);
        IEnumerable<int> slices = Enumerable.Range(0, Limits.Slices);
        Encode(samples, new Statement.Receipt(samples.Digest(), 3, slices.Select(static slice => new SliceSum(slice, 0.1)).ToSequence()))
            .Length.Should().BeLessThanOrEqualTo(Limits.MessageBytes);
        Encode(samples, new Statement.Settlement(samples.Digest(), 3, slices.Select(slice => new SliceOutcome(slice, samples.Digest(), samples.Digest())).ToSequence()))
            .Length.Should().BeLessThanOrEqualTo(Limits.MessageBytes);
    }

    [Fact]
    public void The_largest_certificate_fits_a_message()
    {
        Certificate certificate = new Samples(3).Certify(
            Samples.Keys(Limits.CommitteeMembers), VoteKind.Finalize, new Samples(4).Instance(AgreementKind.Result, LimitCommittee) with { Round = long.MaxValue }, int.MaxValue);
        certificate.Encode().Length.Should().BeLessThanOrEqualTo(Limits.MessageBytes);
        Certificate.TryRead(certificate.Encode().Span, out Certificate? read).Should().BeTrue();
        read.Should().Be(certificate);
    }

    [Fact]
    public void The_largest_set_fits_a_message()
    {
        Samples samples = new(5);
        DecidedValue.Set set = samples.Set(Limits.Members, LimitCommittee);
        set = set with
        {
            Included = set.Included.Select(static inclusion => inclusion with { Weight = long.MaxValue }).ToSequence(),
            OtherEntries = Enumerable.Range(0, Limits.OtherEntries).Select(_ => samples.Digest()).ToSequence(),
            RecordedCertificates = Enumerable.Range(0, Limits.RecordedDecisions)
                .Select(index => new RecordedDecision(long.MaxValue - Limits.RecordedDecisions + index, AgreementKind.Set, samples.Digest())).ToSequence(),
        };
        set.Encode().Length.Should().BeLessThanOrEqualTo(Limits.MessageBytes);
        DecidedValue.TryRead(set.Encode().Span, out DecidedValue? read).Should().BeTrue();
        read.Should().Be(set);
    }

    [Fact]
    public void The_largest_genesis_fits_its_bound()
    {
        Samples samples = new(6);
        Plans.Genesis genesis = samples.Genesis(Limits.Members);
        genesis = genesis with
        {
            Members = genesis.Members.Select(static member => member with { Name = new string('\u0e01', Limits.NameCharacters) }).ToSequence(),
            Committee = genesis.Members.Take(Limits.CommitteeMembers).Select(static member => member.Id).ToSequence(),
        };
        genesis.Encode().Length.Should().BeLessThanOrEqualTo(Limits.GenesisBytes);
        Plans.Genesis.TryRead(genesis.Encode().Span, out Plans.Genesis? read).Should().BeTrue();
        read.Should().Be(genesis);
    }

    private static ByteString Encode(Samples samples, Statement statement)
    {
        SignedStatement signed = samples.Sign(statement, LimitKey, LimitCommittee);
        signed = signed with { Instance = signed.Instance with { Round = long.MaxValue, Attempt = int.MaxValue, Fragment = int.MaxValue } };
        ByteString bytes = signed.Encode();
        SignedStatement.TryRead(bytes.Span, out SignedStatement? read).Should().BeTrue();
        read.Should().Be(signed);
        return bytes;
    }
}
