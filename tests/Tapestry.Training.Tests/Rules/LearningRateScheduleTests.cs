using FluentAssertions;
using Tapestry.Training.Optimization;
using Xunit;

namespace Tapestry.Training.Tests.Rules;

public sealed class LearningRateScheduleTests
{
    [Fact]
    public void Warm_up_rises_in_a_line_and_reaches_the_peak_at_its_last_step()
    {
        LearningRateSchedule schedule = new() { WarmupSteps = 4 };

        Enumerable.Range(0, 6).Select(step => schedule.At(step)).Should().Equal(0.25, 0.5, 0.75, 1, 1, 1);
    }

    [Theory]
    [InlineData(ScheduleKind.Cosine)]
    [InlineData(ScheduleKind.Wsd)]
    public void A_decay_ends_at_the_final_rate_and_stays_there(ScheduleKind kind)
    {
        LearningRateSchedule schedule = new() { Kind = kind, WarmupSteps = 10, TotalSteps = 100, FinalRate = 0.05 };
        double[] rates = [.. Enumerable.Range(10, 190).Select(step => schedule.At(step))];

        rates[0].Should().Be(1);
        rates.Should().BeInDescendingOrder();
        rates[89].Should().BeApproximately(0.05, 1e-12);
        rates[189].Should().BeApproximately(0.05, 1e-12);
    }

    [Fact]
    public void Warm_up_stable_decay_is_stable_until_the_last_fifth()
    {
        LearningRateSchedule schedule = new() { Kind = ScheduleKind.Wsd, WarmupSteps = 10, TotalSteps = 100, FinalRate = 0 };

        schedule.At(80).Should().Be(1);
        schedule.At(81).Should().BeLessThan(1);
        schedule.At(90).Should().BeApproximately(9.0 / 19, 1e-12);
    }

    [Fact]
    public void The_middle_of_a_cosine_is_the_mean_of_its_ends() =>
        new LearningRateSchedule { Kind = ScheduleKind.Cosine, TotalSteps = 101, FinalRate = 0.1 }.At(50).Should().BeApproximately(0.55, 1e-12);

    [Fact]
    public void Schedules_that_mean_nothing_are_refused()
    {
        FluentActions.Invoking(new LearningRateSchedule { Kind = ScheduleKind.Cosine }.Validate).Should().Throw<ArgumentException>().WithMessage("*TotalSteps is 0*");
        FluentActions.Invoking(new LearningRateSchedule { FinalRate = 1.5 }.Validate).Should().Throw<ArgumentException>().WithMessage("*FinalRate is 1.5*");
        FluentActions.Invoking(new LearningRateSchedule { WarmupSteps = -1 }.Validate).Should().Throw<ArgumentException>().WithMessage("*WarmupSteps is -1*");
    }
}
