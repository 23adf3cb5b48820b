using System.Diagnostics;
using FluentAssertions;
using Xunit;

namespace Tapestry.Protocol.Tests.Golden;

/// <summary>The golden aggregation again, in processes that may not use this machine's wider vectors.</summary>
public sealed class OtherVectorWidthsTests
{
    [Theory]
    [InlineData("DOTNET_EnableAVX512", "DOTNET_EnableAVX512F")]
    [InlineData("DOTNET_EnableAVX2")]
    public async Task Bytes_are_the_same_without(params string[] switches)
    {
        string assembly = typeof(OtherVectorWidthsTests).Assembly.Location;
        const string filter = $"FullyQualifiedName~{nameof(GoldenAggregationTests)}&FullyQualifiedName!~{nameof(GoldenAggregationTests.Another_language_computes_them_from_the_specification)}";
        ProcessStartInfo start = new("dotnet", ["test", assembly, "--filter", filter])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in switches)
        {
            start.Environment[name] = "0";
        }

        using Process child = Process.Start(start)!;
        Task<string> error = child.StandardError.ReadToEndAsync();
        string output = await child.StandardOutput.ReadToEndAsync();
        await child.WaitForExitAsync();
        child.ExitCode.Should().Be(0, output + await error);
        output.Should().Contain("Passed!");
    }
}
