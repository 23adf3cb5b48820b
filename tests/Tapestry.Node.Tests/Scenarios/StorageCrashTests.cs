using System.Diagnostics;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Node.Storage;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

public sealed class StorageCrashTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_second_process_is_refused_and_told_which_one_has_the_records()
    {
        using Process holder = StorageProcess.Start([], StorageProcess.Hold, _folder.Path);
        (await holder.ReadLineAsync()).Should().Be("open");
        FluentActions.Invoking(() => RecordStore.Open(_folder.Path)).Should().Throw<CliException>()
            .Where(error => error.Code == StorageErrors.InUse && error.Hint.Contains("--data", StringComparison.Ordinal))
            .WithMessage($"*in use by process {holder.Id}.");

        await holder.StandardInput.WriteLineAsync();
        await holder.EndAsync();
        using RecordStore store = RecordStore.Open(_folder.Path);
    }

    [Fact]
    public async Task Killing_the_writer_again_and_again_loses_no_acknowledged_batch()
    {
        for (int life = 0; life < 4; life++)
        {
            using Process writer = StorageProcess.Start([], StorageProcess.WriteForever, _folder.Path);
            long acknowledged = 0;
            for (int line = 0; line <= 40 * life; line++)
            {
                acknowledged = Acknowledged(await writer.ReadLineAsync()) ?? acknowledged;
            }

            writer.Kill();
            while (await writer.ReadLineAsync() is string line)
            {
                acknowledged = Acknowledged(line) ?? acknowledged;
            }

            await writer.EndAsync();
            using RecordStore store = RecordStore.Open(_folder.Path);
            StorageProcess.CountBatches(store).Should().BeInRange(acknowledged, acknowledged + 1, "life {0}", life);
            acknowledged.Should().BePositive();
        }
    }

    [SmallDiskFact]
    public async Task A_full_disk_is_named_and_leaves_what_was_acknowledged_intact()
    {
        string script = "mount -t tmpfs -o size=110m tmpfs \"$0\" && exec \"$@\"";
        using Process child = StorageProcess.Start(
            ["unshare", "-rm", "sh", "-c", script, _folder.Path], StorageProcess.FillDisk, _folder.Path);
        string? full = await child.ReadLineAsync();
        string? freed = await child.ReadLineAsync();
        await child.EndAsync();
        full.Should().Be("disk-full disk-full readable=True incoming-empty=True");
        freed.Should().Be("kept=True intact=True");
        child.ExitCode.Should().Be(0);
    }

    [Fact]
    public async Task A_failed_write_stops_all_writing_and_leaves_what_was_acknowledged_intact()
    {
        // The runtime maps large files of its own where memory must not be writable and executable at once.
        string script = "trap '' XFSZ; ulimit -f 512; export DOTNET_EnableWriteXorExecute=0; exec \"$@\"";
        using Process child = StorageProcess.Start(["sh", "-c", script, "sh"], StorageProcess.Limited, _folder.Path);
        string? codes = await child.ReadLineAsync();
        long? acknowledged = Acknowledged(await child.ReadLineAsync());
        await child.EndAsync();
        codes.Should().Be("disk-full disk-full");
        acknowledged.Should().BePositive();
        using RecordStore store = RecordStore.Open(_folder.Path);
        StorageProcess.CountBatches(store).Should().BeInRange(acknowledged!.Value, acknowledged.Value + 1);
    }

    // A line cut off by the kill was not acknowledged to anybody.
    private static long? Acknowledged(string? line) =>
        line is not null && line.StartsWith("acknowledged ", StringComparison.Ordinal) && long.TryParse(line.AsSpan(13), out long number)
            ? number
            : null;
}
