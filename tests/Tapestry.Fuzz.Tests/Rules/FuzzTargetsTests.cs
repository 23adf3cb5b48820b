using FluentAssertions;
using Xunit;

namespace Tapestry.Fuzz.Tests.Rules;

/// <summary>A short run of every target, and what the saved corpus must be.</summary>
public sealed class FuzzTargetsTests
{
    private const long Inputs = 100_000;
    private const long Seed = 20261122;

    public static TheoryData<string> Targets => [.. FuzzTargets.All.Select(target => target.Name)];

    [Fact]
    public async Task No_decoder_breaks_a_promise_on_a_hundred_thousand_inputs()
    {
        FuzzRun run = new();
        await run.RunAsync(FuzzTargets.All, Inputs, Seed, (_, _) => { }, CancellationToken.None);
        run.Rows.Should().HaveCount(FuzzTargets.All.Count);
        FuzzReport.Of(run, Seed, Path.Combine(Path.GetTempPath(), "tapestry-fuzz")).Findings.Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Every_valid_input_of_the_corpus_is_read(string name)
    {
        FuzzTarget target = FuzzTargets.All.Single(one => one.Name == name);
        IReadOnlyList<byte[]> valid = Corpus.ValidOf(target);
        valid.Should().NotBeEmpty("./tapestry fuzz --write-corpus tests/Tapestry.Fuzz/Corpus saves what the encoders make");
        valid.Where(input => target.Read(input) is null).Select(Convert.ToHexStringLower).Should().BeEmpty();
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void Every_sample_of_today_is_read(string name)
    {
        FuzzTarget target = FuzzTargets.All.Single(one => one.Name == name);
        target.Samples().Where(input => target.Read(input) is null).Select(Convert.ToHexStringLower).Should().BeEmpty();
    }

    [Fact]
    public void Names_are_unique() => FuzzTargets.All.Select(target => target.Name).Should().OnlyHaveUniqueItems();
}
