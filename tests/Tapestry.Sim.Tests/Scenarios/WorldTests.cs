using FluentAssertions;
using Xunit;

namespace Tapestry.Sim.Tests.Scenarios;

/// <summary>Small worlds in which every promise must hold.</summary>
public sealed class WorldTests
{
    private static readonly WorldOptions Calm = new() { Seed = 7, Members = 6, Committee = 4, Rounds = 3 };

    [Fact]
    public void Equal_seeds_give_equal_traces_and_another_seed_another()
    {
        WorldReport first = Run(Calm);
        Run(Calm).TraceHash.Should().Be(first.TraceHash);
        Run(Calm with { Seed = 8 }).TraceHash.Should().NotBe(first.TraceHash);
    }

    [Fact]
    public void In_a_calm_world_every_round_has_a_result_and_includes_everyone()
    {
        WorldReport report = Run(Calm);
        report.Violation.Should().BeNull();
        report.Voids.Should().Be(0);
        report.Included.Should().Be(6 * 3);
    }

    [Fact]
    public void A_committee_of_one_decides_alone()
    {
        WorldReport report = Run(Calm with { Members = 3, Committee = 1 });
        report.Violation.Should().BeNull();
        report.Included.Should().Be(3 * 3);
    }

    [Theory]
    [InlineData("silent-member")]
    [InlineData("equivocating-leader")]
    [InlineData("double-voter")]
    [InlineData("lying-holder")]
    [InlineData("withholding-contributor")]
    [InlineData("equivocating-contributor")]
    [InlineData("unjustified-proposer")]
    [InlineData("voiding-leader")]
    [InlineData("excluding-leader")]
    [InlineData("replayer")]
    [InlineData("boaster")]
    [InlineData("junk-answerer")]
    [InlineData("overflowing-contributor")]
    public void One_Byzantine_seat_of_four_breaks_no_promise(string crime)
    {
        for (long seed = 1; seed <= 2; seed++)
        {
            WorldReport report = Run(Calm with { Seed = seed, ByzantineSeats = 1, Crime = crime });
            report.Violation.Should().BeNull("seed {0}", seed);
        }
    }

    [Fact]
    public void Lost_messages_cost_time_and_nothing_else()
    {
        WorldReport report = Run(Calm with { Loss = 0.2, LossForEver = true });
        report.LostMessages.Should().BePositive();
        report.Violation.Should().BeNull();
    }

    [Fact]
    public void Whoever_decides_alone_and_unheard_is_followed_by_its_record()
    {
        for (int unheard = 0; unheard < 4; unheard++)
        {
            WorldReport report = Run(Calm with { Members = 5, ByzantineSeats = 1, Crime = "silent-member", UnheardDecider = unheard });
            report.Violation.Should().BeNull("member {0}", unheard);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Whoever_crashed_while_it_applied_a_round_returns_after_everyone_forgot_it(int member)
    {
        WorldReport report = Run(Calm with { Rounds = 10, KeepRounds = 2, CrashInApply = (member, 2, 60_000) });
        report.Violation.Should().BeNull();
        report.Crashes.Should().Be(1);
    }

    [Fact]
    public void What_is_forgotten_after_a_few_rounds_is_never_missed()
    {
        for (long seed = 1; seed <= 3; seed++)
        {
            WorldReport report = Run(Calm with
            {
                Seed = seed,
                Rounds = 10,
                KeepRounds = 2,
                Crashes = 10,
                Partitions = 3,
                Loss = 0.2,
                HealAtMs = 15_000,
            });
            report.Violation.Should().BeNull("seed {0}", seed);
        }
    }

    [Fact]
    public void A_crash_at_any_synced_write_of_a_seat_breaks_no_promise()
    {
        foreach (CrashPoint point in Enum.GetValues<CrashPoint>())
        {
            // Until the member writes no more: manifest, receipts, votes, certificates, the settlement, the round itself.
            int write = 0;
            WorldReport report;
            do
            {
                write++;
                report = Run(Calm with { Members = 4, Rounds = 1, CrashAt = (1, write, point) });
                report.Violation.Should().BeNull("write {0}, {1}", write, point);
            }
            while (report.Crashes > 0);

            write.Should().BeGreaterThan(10);
        }
    }

    [Theory]
    [InlineData("quorum-minus-one")]
    [InlineData("finalize-after-nullify")]
    [InlineData("omission-is-fine")]
    [InlineData("void-is-always-valid")]
    [InlineData("no-guard")]
    public void A_broken_rule_is_noticed(string mutation)
    {
        bool noticed = false;
        for (long seed = 1; seed <= 60 && !noticed; seed++)
        {
            noticed = Run(Mutations.Apply(mutation, SmallWorlds.Of(seed, 4))).Violation is not null;
        }

        noticed.Should().BeTrue();
    }

    private static WorldReport Run(WorldOptions options)
    {
        using World world = new(options);
        return world.Run(CancellationToken.None);
    }
}
