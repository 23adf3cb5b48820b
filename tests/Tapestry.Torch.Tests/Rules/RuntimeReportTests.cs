using FluentAssertions;
using Xunit;

namespace Tapestry.Torch.Tests.Rules;

public sealed class RuntimeReportTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(29.9)]
    public void A_speed_below_the_floor_is_told_with_its_figures(double gflops) =>
        RuntimeReport.Judge(gflops, bypassed: false).Should().Contain(FormattableString.Invariant($"{gflops:F1} GFLOP/s")).And.Contain("below 30").And.Contain("BLAS");

    [Theory]
    [InlineData(30)]
    [InlineData(30.1)]
    [InlineData(4000)]
    public void A_speed_at_or_above_the_floor_is_no_matter(double gflops) =>
        RuntimeReport.Judge(gflops, bypassed: false).Should().BeEmpty();

    [Theory]
    [InlineData(7)]
    [InlineData(4000)]
    public void Products_that_bypass_the_shim_are_told_at_any_speed(double gflops) =>
        RuntimeReport.Judge(gflops, bypassed: true).Should().Contain("bypass").And.NotContain("GFLOP");

    [Fact]
    public void The_start_up_line_names_version_device_threads_and_speed() =>
        new RuntimeReport("2.9", "cuda:0", ["cpu", "cuda:0"], 3, "AVX2", "none", "oneDNN", 54.4, "", "class").Line
            .Should().ContainAll("libtorch 2.9", "cuda:0", "threads: 3", "54 GFLOP/s");
}
