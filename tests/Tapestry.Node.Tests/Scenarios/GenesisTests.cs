using System.Security.Cryptography;
using System.Text.Json;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Demo;
using Tapestry.Node.Ledger;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;
using Xunit;
using Record = Tapestry.Protocol.Partners.Record;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>A genesis file that was damaged or exchanged under the records of a member.</summary>
public sealed class GenesisTests : IDisposable
{
    private readonly TemporaryFolder _root = new();
    private readonly DemoNetwork _network;
    private readonly DataFolder _folder;

    public GenesisTests()
    {
        _network = DemoNetwork.Create(_root.Path, PlanPresets.ByName["tiny"], TimeProvider.System);
        _folder = _network.Daemons[0].Folder;
        RoundLeaves first = RoundLeaves.OfGenesis(_network.Genesis);
        using RecordStore records = RecordStore.Open(_folder.Records);
        records.Write([
            new Record(Table.Entries, ByteString.Own(LedgerKeys.Number(0)), first.Leaves[0].Encode()),
            .. first.StoredHashes.Select((hash, index) => new Record(
                Table.Hashes, ByteString.Own(LedgerKeys.Number(index)), ByteString.Own(hash.ToArray()))),
        ]);
    }

    public void Dispose()
    {
        _network.Dispose();
        _root.Dispose();
    }

    [Fact]
    public async Task A_daemon_refuses_the_genesis_of_another_network_of_the_same_members_over_its_records()
    {
        File.Copy(WriteOther(), _folder.Genesis, overwrite: true);
        string[] before = Content();

        (int exitCode, string code, string message) = await TapestryProcess.FailAsync("run", "--data", _folder.Root);

        code.Should().Be("wrong-genesis");
        exitCode.Should().Be((int)ExitCode.Configuration);
        message.Should().Contain(_network.Genesis.Digest.ToString()).And.Contain("'other'");
        Content().Should().Equal(before);
    }

    [Fact]
    public async Task An_audit_names_a_genesis_that_is_not_the_ledgers()
    {
        JsonElement data = await TapestryProcess.OkAsync("ledger-verify", "ledger", "verify", "--data", _folder.Root);
        data.GetProperty("entries").GetInt64().Should().Be(1);

        (int exitCode, string code, _) = await TapestryProcess.FailAsync("ledger", "verify", "--data", _folder.Root, "--genesis", WriteOther());

        code.Should().Be("wrong-genesis");
        exitCode.Should().Be((int)ExitCode.Configuration);
    }

    [Fact]
    public async Task A_genesis_that_is_empty_cut_short_or_too_long_is_malformed_and_nothing_is_changed()
    {
        byte[] whole = File.ReadAllBytes(_folder.Genesis);
        foreach (byte[] bytes in (byte[][])[[], whole[..(whole.Length / 2)], [.. whole, 0]])
        {
            File.WriteAllBytes(_folder.Genesis, bytes);
            string[] before = Content();

            (int exitCode, string code, _) = await TapestryProcess.FailAsync("run", "--data", _folder.Root);

            code.Should().Be("genesis-malformed");
            exitCode.Should().Be((int)ExitCode.Configuration);
            Content().Should().Equal(before);
        }
    }

    /// <summary>The same members, keys and plan under another name.</summary>
    private string WriteOther()
    {
        Genesis other = NewGenesis.Create(
            "other", _network.Genesis.Plan, [.. _network.Genesis.Members], 4, noFaultTolerance: false, TimeProvider.System);
        string path = _root.At("other-genesis");
        File.WriteAllBytes(path, other.Encode().ToArray());
        return path;
    }

    /// <summary>Every row of the records and every other file but the lock; RocksDB's own files change when it opens them.</summary>
    private string[] Content()
    {
        using RecordStore records = LedgerFolder.OpenRecords(_folder);
        return
        [
            .. Enum.GetValues<Table>().SelectMany(table => records.ReadAll(table).Select(row => $"{table} {row.Key} {row.Value}")),
            .. Directory.EnumerateFiles(_folder.Root, "*", SearchOption.AllDirectories)
                .Where(path => path != _folder.Lock && !path.StartsWith(_folder.Records, StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(path => $"{path} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)))}"),
        ];
    }
}
