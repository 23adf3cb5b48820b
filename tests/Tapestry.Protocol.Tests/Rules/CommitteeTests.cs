using FluentAssertions;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>What follows from the number of seats, and the seeded orders.</summary>
public sealed class CommitteeTests
{
    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(3, 0, 3)]
    [InlineData(4, 1, 3)]
    [InlineData(6, 1, 5)]
    [InlineData(7, 2, 5)]
    [InlineData(13, 4, 9)]
    public void A_committee_tolerates_a_third(int count, int faults, int quorum)
    {
        Committee committee = Samples.Committee(Samples.Keys(count));
        committee.Faults.Should().Be(faults);
        committee.Quorum.Should().Be(quorum);
    }

    [Fact]
    public void Members_must_be_distinct_and_ascending()
    {
        MemberId[] ids = [.. Samples.Keys(3).Select(Samples.Id)];
        FluentActions.Invoking(() => new Committee([ids[1], ids[0]])).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new Committee([ids[0], ids[0]])).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => new Committee([])).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Every_seat_leads_once_before_one_leads_again()
    {
        Committee committee = Samples.Committee(Samples.Keys(7));
        Instance instance = new Samples(1).Instance(AgreementKind.Set, committee);
        MemberId[] leaders = [.. Enumerable.Range(1, 14).Select(view => committee.Leader(instance, view))];
        leaders[..7].Should().OnlyHaveUniqueItems();
        leaders[7..].Should().Equal(leaders[..7]);
        committee.Leaders(instance).Should().Equal(leaders[..7]);
    }

    [Fact]
    public void Rounds_agreements_and_slices_have_own_orders()
    {
        Committee committee = Samples.Committee(Samples.Keys(13));
        Instance instance = new Samples(2).Instance(AgreementKind.Set, committee) with { Round = 5 };
        Sequence<MemberId>[] orders =
        [
            Leaders(instance),
            Leaders(instance with { Round = 6 }),
            Leaders(instance with { Agreement = AgreementKind.Result }),
            committee.SliceOrder(instance.Network, 5, 0),
            committee.SliceOrder(instance.Network, 5, 1),
            committee.SliceOrder(instance.Network, 6, 0),
        ];
        orders.Should().OnlyHaveUniqueItems();
        orders.Should().OnlyContain(order => order.Order().SequenceEqual(committee.Members));

        Sequence<MemberId> Leaders(Instance place) => Enumerable.Range(1, 13).Select(view => committee.Leader(place, view)).ToSequence();
    }

    [Fact]
    public void Places_are_shared_evenly()
    {
        Committee committee = Samples.Committee(Samples.Keys(4));
        Instance instance = new Samples(3).Instance(AgreementKind.Set, committee);
        int[] firsts = new int[4];
        for (long round = 1; round <= 2000; round++)
        {
            firsts[committee.Members.ToList().IndexOf(committee.Leader(instance with { Round = round }, 1))]++;
        }

        // 500 expected, standard deviation 19: five of them.
        firsts.Should().OnlyContain(count => count > 400 && count < 600);
    }
}
