using System.CommandLine;
using System.Text.Json;
using FluentAssertions;
using Spectre.Console;
using Xunit;

namespace Tapestry.Cli.Tests.Rules;

public sealed class CommandLineAppTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    [Fact]
    public async Task With_json_a_verb_prints_exactly_one_object()
    {
        int code = await RunAsync(
            (_, terminal, _) =>
            {
                terminal.Say("text for people");
                return Task.FromResult(new VerbResult(new { Answer = 42, Missing = (string?)null }, console => console.WriteLine("table")));
            },
            "weave", "cloth", "--json");

        code.Should().Be(0);
        _output.ToString().Should().Be("""{"schema":"tapestry/weave-cloth/1","status":"ok","data":{"answer":42}}""" + "\n");
        _error.ToString().Should().Be("text for people\n");
    }

    [Fact]
    public async Task Without_json_the_result_is_shown_and_nothing_else_is_on_standard_output()
    {
        int code = await RunAsync(
            (_, terminal, _) =>
            {
                terminal.Say("text for people");
                return Task.FromResult(VerbResult.Line(1, "one"));
            },
            "weave", "cloth");

        code.Should().Be(0);
        _output.ToString().Should().Be("one\n");
    }

    [Fact]
    public async Task An_error_carries_code_message_hint_and_exit_code()
    {
        int code = await RunAsync(
            (_, _, _) => throw new CliException("port-in-use", "Port 4001 is in use.", "Choose another.", ExitCode.Unreachable),
            "weave", "cloth", "--json");

        code.Should().Be((int)ExitCode.Unreachable);
        JsonElement error = JsonDocument.Parse(_output.ToString()).RootElement.GetProperty("error");
        error.GetProperty("code").GetString().Should().Be("port-in-use");
        error.GetProperty("message").GetString().Should().Be("Port 4001 is in use.");
        error.GetProperty("hint").GetString().Should().Be("Choose another.");
    }

    [Fact]
    public async Task An_unexpected_exception_is_an_internal_error_in_the_envelope()
    {
        int code = await RunAsync((_, _, _) => throw new InvalidOperationException("broken"), "weave", "cloth", "--json");

        code.Should().Be((int)ExitCode.Internal);
        _output.ToString().Should().Contain("\"code\":\"internal\"").And.Contain("broken");
    }

    [Theory]
    [InlineData("weave", "cloth", "--threads", "many")]
    [InlineData("weave", "cloth", "--colour", "red")]
    [InlineData("weave", "linen", "--json")]
    [InlineData("weave")]
    public async Task A_wrong_command_line_is_a_usage_error(params string[] args)
    {
        int code = await RunAsync((_, _, _) => Task.FromResult(new VerbResult(null)), [.. args, "--json"]);

        code.Should().Be((int)ExitCode.Usage);
        JsonDocument.Parse(_output.ToString()).RootElement.GetProperty("status").GetString().Should().Be("error");
    }

    [Fact]
    public async Task The_prefix_of_an_executable_leads_its_schema_names()
    {
        CommandLineApp app = new("test", "sim", _output, _error, isInteractive: false);
        app.Root.Add(app.Does(new Command("run"), (_, _, _) => Task.FromResult(new VerbResult(null))));

        await app.RunAsync(["run", "--json"]);

        _output.ToString().Should().Be("""{"schema":"tapestry/sim-run/1","status":"ok","data":null}""" + "\n");
    }

    [Fact]
    public async Task Progress_on_a_pipe_is_plain_lines_that_start_and_end()
    {
        await RunAsync(
            (_, terminal, _) => terminal.WithProgressAsync("train", 100, meter =>
            {
                for (int step = 0; step <= 100; step++)
                {
                    meter.Report(step, $"loss {step}");
                }

                return Task.FromResult(new VerbResult(null));
            }),
            "weave", "cloth");

        string[] lines = _error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines[0].Should().Be("train: 0 %  loss 0");
        lines[^1].Should().Be("train: 100 %  loss 100");
    }

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    private Task<int> RunAsync(Verb verb, params string[] args)
    {
        CommandLineApp app = new("test", "", _output, _error, isInteractive: false);
        Command cloth = new("cloth") { new Option<int>("--threads") };
        app.Root.Add(new Command("weave") { app.Does(cloth, verb) });
        return app.RunAsync(args);
    }
}
