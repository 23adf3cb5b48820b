using System.Diagnostics;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Node.Storage;
using Tapestry.Training.Models;
using Tapestry.Training.Optimization;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>Full disks and places that cannot be written or read: a code, the path and a hint, never an error of ours.</summary>
/// <remarks>Not even root can write below a regular file, write to /dev/full, or read address 0 in /proc/self/mem.</remarks>
public sealed class OutputFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public OutputFileTests() => File.WriteAllText(_folder.At("file"), "A text, to be trained on.\n");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Training_names_an_output_that_cannot_be_written_before_it_starts()
    {
        await ShouldFailAsync(FileErrors.NotWritable, _folder.At("file/model"), "train", "--text", _folder.At("file"), "--output", _folder.At("file/model"));
    }

    [TorchFact]
    public async Task Training_names_a_full_disk()
    {
        File.CreateSymbolicLink(_folder.At("model.tmp"), "/dev/full");

        await ShouldFailAsync(
            StorageErrors.DiskFull, _folder.At("model"),
            "train", "--text", _folder.At("file"), "--steps", "1", "--batch", "1", "--output", _folder.At("model"));
    }

    [Fact]
    public async Task Exporting_names_an_output_that_cannot_be_written_or_exists()
    {
        string model = WriteModel();

        await ShouldFailAsync(FileErrors.NotWritable, _folder.At("file/export"), "export", "--model", model, "--output", _folder.At("file/export"));
        await ShouldFailAsync("output-exists", _folder.Path, "export", "--model", model, "--output", _folder.Path);
    }

    [Fact]
    public async Task Exporting_names_a_full_disk()
    {
        string model = WriteModel();

        // Limits on file sizes act as full disks do; the weights of the model have more than its 64 blocks of 512 bytes.
        using Process export = Process.Start(new ProcessStartInfo(
            "sh", ["-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "sh", ProgramPath, "export", "--json", "--model", model, "--output", _folder.At("export")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // The runtime maps its code twice by a file, which the limit would hit too.
            Environment = { ["DOTNET_EnableWriteXorExecute"] = "0" },
        })!;
        Task<string> errors = export.StandardError.ReadToEndAsync();
        string output = await export.StandardOutput.ReadToEndAsync();
        await export.WaitForExitAsync();

        output.Should().Contain($"\"code\":\"{StorageErrors.DiskFull}\"", await errors).And.Contain(_folder.At("export"));
        export.ExitCode.Should().Be((int)ExitCode.Failed);
    }

    [Fact]
    public async Task Creating_a_network_names_an_output_that_cannot_be_written_and_a_full_disk()
    {
        string[] names = ["a", "b", "c", "d"];
        foreach (string name in names)
        {
            await TapestryProcess.RunAsync("init", "--data", _folder.At(name), "--name", name);
        }

        string[] create = ["network", "create", "--name", "cloth", "--preset", "tiny", "--card", .. names.Select(name => _folder.At($"{name}/card.json"))];
        await ShouldFailAsync(FileErrors.NotWritable, _folder.At("file/genesis"), [.. create, "--output", _folder.At("file/genesis")]);

        File.CreateSymbolicLink(_folder.At("genesis.new"), "/dev/full");
        await ShouldFailAsync(StorageErrors.DiskFull, _folder.At("genesis"), [.. create, "--output", _folder.At("genesis")]);
    }

    [Fact]
    public async Task An_audit_names_a_file_that_cannot_be_read()
    {
        File.CreateSymbolicLink(_folder.At("genesis"), "/proc/self/mem");

        await ShouldFailAsync(FileErrors.NotReadable, _folder.At("genesis"), "ledger", "verify", "--data", _folder.Path);
    }

    private static string ProgramPath => Path.ChangeExtension(typeof(FileErrors).Assembly.Location, null);

    private static async Task ShouldFailAsync(string code, string path, params string[] arguments)
    {
        (int exitCode, string actual, string message) = await TapestryProcess.FailAsync(arguments);

        actual.Should().Be(code, message);
        message.Should().Contain(path);
        exitCode.Should().NotBe((int)ExitCode.Internal);
    }

    private string WriteModel()
    {
        ModelConfig config = new() { Width = 32, Layers = 1, Heads = 2, KeyValueHeads = 2, FeedForward = 64, ContextTokens = 32 };
        float[] zeros = new float[new ParameterLayout(config).Count];
        string path = _folder.At("model.ckpt");
        new Checkpoint(new CheckpointHeader(config, 0, 0, 0), zeros, zeros, zeros).Write(path);
        return path;
    }
}
