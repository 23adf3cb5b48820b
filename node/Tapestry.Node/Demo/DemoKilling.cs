using System.Globalization;
using Tapestry.Cli;
using Tapestry.Node.Daemon;
using Tapestry.Node.Ledger;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Demo;

/// <summary>When the demo kills a daemon.</summary>
internal enum KillMoment
{
    /// <summary>Just after its manifest was handed to the network.</summary>
    Manifest,

    /// <summary>Just after it proposed as the leader of a view.</summary>
    Leader,
}

/// <summary>Kills one daemon with SIGKILL at an observed moment, starts it again, and afterwards checks what must have survived.</summary>
/// <param name="network">The daemons.</param>
/// <param name="moment">When to kill.</param>
/// <param name="terminal">Where it is announced.</param>
internal sealed class DemoKilling(DemoNetwork network, KillMoment moment, Terminal terminal)
{
    /// <summary>Rounds that end before the kill: there has to be something to lose.</summary>
    private const long RoundsBefore = 3;

    /// <summary>Rounds that the others end while it is down.</summary>
    private const long RoundsDown = 2;

    /// <summary>Rounds a run needs so that a kill fits in: between two looks at the daemons one more may pass, and one ends with all four.</summary>
    public const int RoundsMin = (int)(RoundsBefore + RoundsDown + 2);

    /// <summary>How long a member may take to reach the moment: the longest contribution of a round, and the round's end.</summary>
    private static readonly TimeSpan MomentTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Short against the moment, long against a question: the daemons need the cores themselves.</summary>
    private static readonly TimeSpan MomentPause = TimeSpan.FromMilliseconds(5);

    private readonly Dictionary<ByteString, ByteString> _slots = [];
    private readonly Dictionary<ByteString, ByteString> _rounds = [];
    private int _victim = -1;
    private long _round;
    private long _othersAtKill;
    private long _othersAtStart;
    private int _slotsKept;
    private int _slotsChanged;

    /// <summary>Whether the kill and the new start are over.</summary>
    public bool IsOver { get; private set; }

    /// <summary>Looks at what the daemons say and does what is due.</summary>
    public async Task ActAsync(IReadOnlyList<StatusReport?> reports, CancellationToken stopping)
    {
        if (_victim < 0)
        {
            await TryKillAsync(reports, stopping);
        }
        else if (!IsOver && OthersRound(reports) >= Math.Min(_othersAtKill + RoundsDown, network.Genesis.Plan.Rounds))
        {
            IsOver = true;
            _othersAtStart = OthersRound(reports);
            network.Daemons[_victim].Start();
            terminal.Say($"started {network.Daemons[_victim].Name} again; the others have ended {_othersAtStart - _othersAtKill} rounds without it");
        }
    }

    /// <summary>Compares the folders once all daemons have stopped.</summary>
    public DemoKill Check(IReadOnlyList<StatusReport?> reports)
    {
        using RecordStore victim = LedgerFolder.OpenRecords(network.Daemons[_victim].Folder);
        int evidence = victim.ReadAll(Table.Evidence).Count();
        foreach (DaemonProcess other in network.Daemons.Where((_, index) => index != _victim))
        {
            using RecordStore records = LedgerFolder.OpenRecords(other.Folder);
            evidence += records.ReadAll(Table.Evidence).Count();
            CompareRounds(victim, records);
            CompareManifests(records);
        }

        CompareSlots(victim);
        int lost = _rounds.Count(row => !row.Value.Equals(victim.Read(Table.Rounds, row.Key.Span)));
        return new DemoKill(
            network.Daemons[_victim].Name, moment.ToString().ToLowerInvariant(), _round, _othersAtStart - _othersAtKill,
            reports.Select(report => report!.Base).Distinct(StringComparer.Ordinal).Count() == 1,
            _slotsKept, _slotsChanged, evidence, _rounds.Count - lost, lost);
    }

    private async Task TryKillAsync(IReadOnlyList<StatusReport?> reports, CancellationToken stopping)
    {
        if (OthersRound(reports) < RoundsBefore)
        {
            return;
        }

        // From here on nothing is drawn: the moment is short, so the daemons are asked again and again.
        long started = terminal.Time.GetTimestamp();
        StatusReport?[] before = [.. reports];
        while (_victim < 0)
        {
            for (int index = 0; index < network.Daemons.Count && _victim < 0; index++)
            {
                StatusReport? now = await network.Daemons[index].AskAsync(stopping);
                if (now is not null && before[index] is StatusReport earlier && MomentOf(now) > MomentOf(earlier))
                {
                    await network.Daemons[index].KillAsync();
                    _victim = index;
                    _round = MomentOf(now);
                }

                before[index] = now ?? before[index];
            }

            if (_victim < 0)
            {
                RequireHope(before, terminal.Time.GetElapsedTime(started));
                await Task.Delay(MomentPause, terminal.Time, stopping);
            }
        }

        _othersAtKill = OthersRound(before);
        terminal.Say($"killed {network.Daemons[_victim].Name} in round {_round}, just after its {MomentWord}");
        Remember();
    }

    /// <summary>Gives up where no moment can come any more, or none came in time.</summary>
    private void RequireHope(IReadOnlyList<StatusReport?> reports, TimeSpan waited)
    {
        if (waited > MomentTimeout || OthersRound(reports) >= network.Genesis.Plan.Rounds)
        {
            throw new CliException(
                "kill-missed", string.Create(
                    CultureInfo.InvariantCulture,
                    $"No daemon was caught just after its {MomentWord} within {waited.TotalSeconds:F0} s; the network has ended round {OthersRound(reports)}."),
                $"Run more rounds with --rounds, or look into the logs under {network.Root}; a busy machine needs longer.");
        }
    }

    private string MomentWord => moment == KillMoment.Manifest ? "manifest was sent" : "proposal as the leader";

    private long MomentOf(StatusReport report) => moment == KillMoment.Manifest ? report.Contributed : report.Led;

    private long OthersRound(IReadOnlyList<StatusReport?> reports) =>
        reports.Where((report, index) => report is not null && index != _victim).Select(report => report!.Round).DefaultIfEmpty(0).Max();

    /// <summary>What was durable when it died.</summary>
    private void Remember()
    {
        using RecordStore records = LedgerFolder.OpenRecords(network.Daemons[_victim].Folder);
        foreach (KeyValuePair<ByteString, ByteString> row in records.ReadAll(Table.Slots))
        {
            _slots[row.Key] = row.Value;
        }

        foreach (KeyValuePair<ByteString, ByteString> row in records.ReadAll(Table.Rounds))
        {
            _rounds[row.Key] = row.Value;
        }
    }

    /// <summary>What others hold of the killed member's manifest must be the one that it had signed when it died.</summary>
    private void CompareManifests(RecordStore other)
    {
        SignedStatement[] signed =
        [
            .. _slots.Values.Select(bytes => SignedStatement.TryRead(bytes.Span, out SignedStatement? statement) ? statement : null)
                .OfType<SignedStatement>()
                .Where(statement => statement.Statement is Statement.Manifest),
        ];
        foreach (KeyValuePair<ByteString, ByteString> row in other.ReadAll(Table.Bodies))
        {
            if (SignedStatement.TryRead(row.Value.Span, out SignedStatement? held)
                && signed.FirstOrDefault(own => own.Author == held.Author && own.Instance == held.Instance) is SignedStatement own)
            {
                _slotsKept++;
                _slotsChanged += own.Digest == held.Digest ? 0 : 1;
            }
        }
    }

    /// <summary>A slot that is still there must hold the same bytes; any other that was signed twice shows as evidence.</summary>
    private void CompareSlots(RecordStore victim)
    {
        foreach ((ByteString slot, ByteString signed) in _slots)
        {
            ByteString? now = victim.Read(Table.Slots, slot.Span);
            _slotsKept += now is null ? 0 : 1;
            _slotsChanged += now is null || now.Equals(signed) ? 0 : 1;
        }
    }

    /// <summary>Certificates may name other voters at each member; the decided values may not differ.</summary>
    private static void CompareRounds(RecordStore victim, RecordStore other)
    {
        foreach (KeyValuePair<ByteString, ByteString> row in other.ReadAll(Table.Rounds))
        {
            bool isSame = victim.Read(Table.Rounds, row.Key.Span) is ByteString mine
                && RoundRecord.TryRead(mine.Span, out RoundRecord? left)
                && RoundRecord.TryRead(row.Value.Span, out RoundRecord? right)
                && left.Set.Equals(right.Set)
                && left.Result.Equals(right.Result);
            if (!isSame)
            {
                throw new CliException(
                    "ledgers-differ", $"Round {System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(row.Key.Span)} is not the same at every member.",
                    "This must never happen; please keep the folders and report it.", ExitCode.VerificationFailed);
            }
        }
    }
}
