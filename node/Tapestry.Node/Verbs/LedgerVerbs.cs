using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Ledger;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Plans;
using Records = Tapestry.Protocol.Partners.Table;

namespace Tapestry.Node.Verbs;

/// <summary><c>tapestry ledger</c>: reads and checks a ledger offline; needs no libtorch, no keys and no data.</summary>
internal static class LedgerVerbs
{
    private sealed record Entry(long Index, string Type, long Round, string Summary);

    /// <summary>The group of verbs.</summary>
    public static Command Create(CommandLineApp app) =>
        new("ledger", "Read and verify a ledger, offline.") { ListCommand(app), ShowCommand(app), VerifyCommand(app) };

    private static Command ListCommand(CommandLineApp app)
    {
        FolderOptions folders = new();
        Option<long> from = new("--from") { Description = "The first entry." };
        Option<int> count = new("--count") { Description = "How many entries.", DefaultValueFactory = _ => 100 };
        Command command = new("list", "List entries.") { from, count };
        folders.AddTo(command);
        return app.Does(command, (arguments, _, _) =>
        {
            DataFolder folder = folders.Folder(arguments);
            Genesis genesis = LedgerFolder.ReadGenesis(folder.Genesis);
            using RecordStore records = LedgerFolder.OpenRecords(folder);
            Entry[] entries =
            [
                .. records.ReadFrom(Records.Entries, ByteString.Own(LedgerKeys.Number(Math.Max(0, arguments.GetValue(from)))))
                    .Take(Math.Max(0, arguments.GetValue(count)))
                    .Select(row => Describe(row.Key, row.Value, genesis)),
            ];
            return Task.FromResult(new VerbResult(new { Entries = entries }, console => Show(console, entries)));
        });
    }

    private static Command ShowCommand(CommandLineApp app)
    {
        FolderOptions folders = new();
        Argument<long> index = new("index") { Description = "The entry." };
        Command command = new("show", "Show one entry.") { index };
        folders.AddTo(command);
        return app.Does(command, (arguments, _, _) =>
        {
            DataFolder folder = folders.Folder(arguments);
            Genesis genesis = LedgerFolder.ReadGenesis(folder.Genesis);
            using RecordStore records = LedgerFolder.OpenRecords(folder);
            long number = arguments.GetValue(index);
            ByteString bytes = (number < 0 ? null : records.Read(Records.Entries, LedgerKeys.Number(number)))
                ?? throw new CliException("no-entry", $"There is no entry {number}.", "List them with: tapestry ledger list");
            Entry entry = Describe(ByteString.Own(LedgerKeys.Number(number)), bytes, genesis);
            _ = Leaf.TryRead(bytes.Span, out Leaf? leaf);
            object data = new { entry.Index, entry.Type, entry.Round, entry.Summary, Hash = Crypto.MerkleTree.LeafHash(bytes.Span).ToString(), Bytes = bytes.ToString() };
            return Task.FromResult(new VerbResult(data, console =>
            {
                console.WriteLine($"entry  {entry.Index}  {entry.Type}  round {entry.Round}");
                console.WriteLine(leaf?.ToString() ?? "unreadable");
                console.WriteLine($"hash   {Crypto.MerkleTree.LeafHash(bytes.Span)}");
                console.WriteLine($"bytes  {bytes}");
            }));
        });
    }

    private static Command VerifyCommand(CommandLineApp app)
    {
        FolderOptions folders = new();
        Option<string?> genesisPath = new("--genesis") { Description = "The genesis that you trust, instead of the folder's own." };
        Command command = new("verify", "Check every leaf, hash, certificate and signature of a ledger.") { genesisPath };
        folders.AddTo(command);
        return app.Does(command, (arguments, _, _) =>
        {
            DataFolder folder = folders.Folder(arguments);
            Genesis genesis = LedgerFolder.ReadGenesis(arguments.GetValue(genesisPath) ?? folder.Genesis);
            using RecordStore records = LedgerFolder.OpenRecords(folder);
            LedgerGenesis.Require(records, genesis, folder.Records);
            AuditReport report = LedgerAudit.Run(records, genesis, LedgerFolder.ReadCheckpoint(folder, genesis));
            return report.Verified
                ? Task.FromResult(new VerbResult(report, console => Show(console, report)))
                : throw new CliException(
                    "ledger-invalid", $"The ledger in {folder.Root} does not verify: {report.Fault}.",
                    "Compare with another member's copy; keep this one as evidence.", ExitCode.VerificationFailed);
        });
    }

    private static Entry Describe(ByteString key, ByteString bytes, Genesis genesis)
    {
        long index = System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(key.Span);
        if (!Leaf.TryRead(bytes.Span, out Leaf? leaf))
        {
            return new Entry(index, "unreadable", 0, $"{bytes.Length} bytes");
        }

        string summary = leaf switch
        {
            Leaf.Genesis first => $"network {first.Network.ToShortString()}, B_0 {first.InitialBase.ToShortString()}",
            Leaf.Contribution contribution => string.Create(
                CultureInfo.InvariantCulture,
                $"{NameOf(contribution.Inclusion.Member, genesis)}: weight {contribution.Inclusion.Weight}, norm {contribution.Inclusion.Norm:0.0000}, scale {contribution.Inclusion.Scale:0.000}"),
            Leaf.Decision decision => $"round {decision.Decided.Round}: {decision.Decided.Agreement} {decision.Decided.Value.ToShortString()}",
            Leaf.Result result => $"base {result.Base.ToShortString()}",
            Leaf.Void empty => $"{empty.Agreement} agreement",
            _ => $"{bytes.Length} bytes",
        };
        return new Entry(index, leaf.GetType().Name, leaf.Round, summary);
    }

    private static string NameOf(MemberId member, Genesis genesis) =>
        genesis.Members.FirstOrDefault(candidate => candidate.Id == member)?.Name ?? member.ToString();

    private static void Show(IAnsiConsole console, IEnumerable<Entry> entries)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumns("entry", "round", "type", "what");
        foreach (Entry entry in entries)
        {
            table.AddRow(
                entry.Index.ToString(CultureInfo.InvariantCulture), entry.Round.ToString(CultureInfo.InvariantCulture), entry.Type,
                Markup.Escape(entry.Summary));
        }

        console.Write(table);
    }

    private static void Show(IAnsiConsole console, AuditReport report)
    {
        console.WriteLine($"verified  {report.Origin}");
        console.WriteLine($"entries   {report.Entries}, root {report.Root}");
        console.WriteLine($"rounds    {report.Rounds}, {report.VoidRounds} of them VOID");
        console.WriteLine($"checked   {report.Signatures} signatures{(report.CheckpointEntries is long size ? $", the signed checkpoint of {size} entries" : "")}");
        console.WriteLine($"base      {report.Base}");
    }
}
