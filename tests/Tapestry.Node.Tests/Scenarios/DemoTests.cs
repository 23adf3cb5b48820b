using FluentAssertions;
using Tapestry.Cli;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>The demo as a process.</summary>
public sealed class DemoTests
{
    [Theory]
    [InlineData("6", "--kill", "leader")]
    [InlineData("6", "--kill")]
    [InlineData("0")]
    public async Task Too_few_rounds_are_refused_before_anything_is_made(string rounds, params string[] kill)
    {
        (int exitCode, string code, string message) = await TapestryProcess.FailAsync(["demo", "--rounds", rounds, .. kill]);

        exitCode.Should().Be((int)ExitCode.Usage);
        code.Should().Be("usage");
        message.Should().Contain($"--rounds {rounds}").And.EndWith(kill.Length > 0 ? "at least 7." : "at least 1.");
    }
}
