using System.Diagnostics;
using System.Text.Json;
using FluentAssertions;
using Tapestry.Node.Demo;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>Runs the command line as a process, with --json.</summary>
internal static class TapestryProcess
{
    /// <summary>Runs a verb to its end.</summary>
    /// <returns>Its exit code, and the one object that it printed.</returns>
    public static Task<(int ExitCode, JsonElement Output)> RunAsync(params string[] arguments) => RunAsync(ProcessPatience.Default, arguments);

    /// <summary>Runs a verb that may take longer than others to its end.</summary>
    /// <returns>Its exit code, and the one object that it printed.</returns>
    public static async Task<(int ExitCode, JsonElement Output)> RunAsync(TimeSpan atMost, params string[] arguments)
    {
        using Process process = OwnProgram.Start([.. arguments, "--json"]);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        await process.InTimeAsync(Task.WhenAll(output, errors, process.WaitForExitAsync()), atMost);
        return (process.ExitCode, JsonDocument.Parse(await output).RootElement);
    }

    /// <summary>The data that a verb must end with, in its envelope.</summary>
    /// <param name="verb">The verb's name in the schema.</param>
    /// <param name="arguments">The command line.</param>
    public static async Task<JsonElement> OkAsync(string verb, params string[] arguments)
    {
        (int exitCode, JsonElement output) = await RunAsync(arguments);
        exitCode.Should().Be(0, "this ends well: {0}", output);
        output.GetProperty("schema").GetString().Should().Be($"tapestry/{verb}/1");
        output.GetProperty("status").GetString().Should().Be("ok");
        return output.GetProperty("data");
    }

    /// <summary>The code of the error that a verb must end in.</summary>
    public static async Task<(int ExitCode, string Code, string Message)> FailAsync(params string[] arguments)
    {
        (int exitCode, JsonElement output) = await RunAsync(arguments);
        JsonElement error = output.GetProperty("error");
        return (exitCode, error.GetProperty("code").GetString()!, error.GetProperty("message").GetString()!);
    }
}
