using FluentAssertions;
using Xunit;

namespace Tapestry.Fuzz.Tests.Rules;

/// <summary>The run itself: it finds each kind of broken promise, and makes the input of a finding again.</summary>
public sealed class FuzzRunTests
{
    private static readonly byte[] Sample = [1, 2, 3, 4];

    [Fact]
    public async Task An_exception_is_found() =>
        (await FindAsync(Target(static input => input.Length > 0 && input[0] == 0xff ? throw new FormatException("planted") : null)))
            .Should().OnlyContain(finding => finding.Promise == "throws" && finding.Input[0] == 0xff).And.NotBeEmpty();

    [Fact]
    public async Task An_allocation_beyond_the_bound_is_found() =>
        (await FindAsync(Target(static input => input.Length > 2 && input[1] == 0x80 ? new byte[1024 * 1024] : null)))
            .Should().OnlyContain(finding => finding.Promise == "allocates").And.NotBeEmpty();

    [Fact]
    public async Task A_second_encoding_is_found() =>
        (await FindAsync(Target(static input => input.Length == 4 ? input[0] : null) with { Encode = value => [(byte)value, 2, 3, 4] }))
            .Should().OnlyContain(finding => finding.Promise == "encodes").And.NotBeEmpty();

    [Fact]
    public async Task A_hang_is_found_and_ends_the_run()
    {
        using ManualResetEventSlim release = new();
        FuzzRun run = new(TimeSpan.FromMilliseconds(200));
        FuzzTarget target = Target(input =>
        {
            if (input.IsEmpty)
            {
                release.Wait();
            }

            return null;
        });
        await run.RunAsync([target], 10_000, 1, (_, _) => { }, CancellationToken.None);
        release.Set();
        run.Findings.Should().ContainSingle().Which.Should().Match<FuzzFinding>(finding => finding.Promise == "hangs" && finding.Input.Length == 0);
    }

    [Fact]
    public async Task The_input_of_a_finding_is_made_again_from_seed_and_index()
    {
        FuzzTarget target = Target(static input => input.Length > 0 && input[0] == 0xff ? throw new FormatException("planted") : null);
        FuzzFinding finding = (await FindAsync(target))[0];
        FuzzReport.Chosen(target, 1, finding.Index, null).Single().Bytes.Should().Equal(finding.Input);

        FuzzRun again = new();
        await again.RunAsync(target, [.. FuzzReport.Chosen(target, 1, finding.Index, null)]);
        again.Findings.Should().ContainSingle().Which.Index.Should().Be(finding.Index);
    }

    [Fact]
    public void Inputs_differ_between_indices_seeds_and_targets()
    {
        byte[][] seeds = [new byte[100]];
        IEnumerable<string> Made(string target, long seed) => Enumerable.Range(0, 100).Select(index => Convert.ToHexString(new Mutator(target, seeds, 200, seed).Make(index)));
        Made("a", 1).Should().Equal(Made("a", 1));
        Made("a", 1).Distinct().Should().HaveCountGreaterThan(90);
        Made("a", 1).Should().NotEqual(Made("a", 2)).And.NotEqual(Made("b", 1));
    }

    private static FuzzTarget Target(InputReader read) => new("planted", [], read, () => [Sample]);

    private static async Task<IReadOnlyList<FuzzFinding>> FindAsync(FuzzTarget target)
    {
        FuzzRun run = new();
        await run.RunAsync([target], 10_000, 1, (_, _) => { }, CancellationToken.None);
        return run.Findings;
    }
}
