using System.Text.Json;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Daemon;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>The verbs over what a daemon left when it ended, as scripts see them: processes, and one object each.</summary>
/// <param name="folder">The member's data folder.</param>
/// <param name="genesis">Its network.</param>
/// <param name="end">Where its daemon ended.</param>
internal sealed class VerbWalk(DataFolder folder, Genesis genesis, StatusReport end)
{
    /// <summary>Runs every verb that reads a ledger or a base.</summary>
    /// <param name="outputs">An empty folder for what they write.</param>
    public async Task RunAsync(TemporaryFolder outputs)
    {
        await ReadTheLedgerAsync();
        await UseTheBaseAsync(outputs);
        JsonElement plan = await TapestryProcess.OkAsync("network-plan", "network", "plan", "--preset", "tiny");
        plan.GetProperty("parameterCount").GetInt64().Should().Be(genesis.Plan.ParameterCount);
    }

    /// <summary>An audit of a ledger that does not hold.</summary>
    public async Task AnAuditFailsAsync()
    {
        (int exitCode, string code, string message) = await TapestryProcess.FailAsync("ledger", "verify", "--data", folder.Root);

        exitCode.Should().Be((int)ExitCode.VerificationFailed);
        code.Should().Be("ledger-invalid");
        message.Should().Contain("entry 2");
    }

    private async Task ReadTheLedgerAsync()
    {
        JsonElement list = await TapestryProcess.OkAsync("ledger-list", "ledger", "list", "--data", folder.Root);
        list.GetProperty("entries").GetArrayLength().Should().Be((int)end.LedgerEntries);

        JsonElement entry = await TapestryProcess.OkAsync("ledger-show", "ledger", "show", "1", "--data", folder.Root);
        entry.GetProperty("index").GetInt64().Should().Be(1);
        entry.GetProperty("round").GetInt64().Should().Be(1);

        JsonElement audit = await TapestryProcess.OkAsync("ledger-verify", "ledger", "verify", "--data", folder.Root);
        audit.GetProperty("root").GetString().Should().Be(end.LedgerRoot);
        audit.GetProperty("base").GetString().Should().Be(end.Base);
    }

    private async Task UseTheBaseAsync(TemporaryFolder outputs)
    {
        JsonElement text = await TapestryProcess.OkAsync("generate", "generate", "--data", folder.Root, "--prompt", "a", "--tokens", "4");
        text.GetProperty("prompt").GetString().Should().Be("a");
        text.GetProperty("text").ValueKind.Should().Be(JsonValueKind.String);

        string exported = outputs.At("export");
        JsonElement export = await TapestryProcess.OkAsync("export", "export", "--data", folder.Root, "--output", exported);
        export.GetProperty("parameters").GetInt64().Should().Be(genesis.Plan.ParameterCount);
        Directory.EnumerateFiles(exported).Select(Path.GetFileName).Should()
            .Contain(["config.json", "model.safetensors", "tokenizer.json"]);
        (await TapestryProcess.FailAsync("export", "--data", folder.Root, "--output", exported)).Code.Should().Be("output-exists");

        string checkpoint = outputs.At("own.ckpt");
        JsonElement training = await TapestryProcess.OkAsync(
            "train", "train", "--data", folder.Root, "--from", "latest", "--steps", "2", "--batch", "1", "--output", checkpoint);
        training.GetProperty("steps").GetInt64().Should().Be(2);
        training.GetProperty("parameters").GetInt64().Should().Be(genesis.Plan.ParameterCount);
        File.Exists(checkpoint).Should().BeTrue();
    }
}
