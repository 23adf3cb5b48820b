using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Encoding;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim;

/// <summary>Watches what honest members do and says when a promise is broken. Knows nothing of how the rules keep them.</summary>
/// <remarks>specs/70-simulation.md, section 2.</remarks>
internal sealed class Oracle(World world)
{
    private readonly Dictionary<(long Round, AgreementKind Agreement), Digest> _decided = [];
    private readonly Dictionary<(long Round, AgreementKind Agreement), PossibleDecisions> _possible = [];
    private readonly Dictionary<long, Digest> _bases = [];
    private readonly Dictionary<long, Digest> _roots = [];
    private readonly Dictionary<(MemberId Author, ByteString Slot), ByteString> _slots = [];
    private readonly HashSet<SignedStatement> _seen = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<long, long> _roundEnds = [];

    internal bool HasViolation => Violation is not null;

    internal Violation? Violation { get; private set; }

    internal SortedDictionary<string, long> Probes { get; } = new(StringComparer.Ordinal);

    internal List<long> RoundMs { get; } = [];

    internal SortedDictionary<long, bool> IsVoid { get; } = [];

    internal SortedDictionary<long, int> Included { get; } = [];

    internal void Violate(string promise, string what) =>
        Violation ??= new Violation(promise, what, world.Time.NowUs / 1000);

    internal void Probe(string name) => Probes[name] = Probes.GetValueOrDefault(name) + 1;

    /// <summary>An honest member's batch became durable. What was not synced was never said or done.</summary>
    internal void Synced(Host host, Sequence<Record> records)
    {
        foreach (Record record in records)
        {
            if (host.IsHonest)
            {
                CheckRecord(host, record);
            }
        }
    }

    /// <summary>An honest member does something.</summary>
    internal void Performed(Host host, Effect effect)
    {
        switch (effect)
        {
            case Effect.Send { Message: PeerMessage.Signed signed } when signed.Statement.Author == host.Id:
                CheckSigned(host, signed.Statement);
                break;
            case Effect.Send { Message: PeerMessage.Certified certified }:
                ProbeCertificate(certified.Certificate);
                break;
            case Effect.Report report:
                CheckReport(host, report);
                break;
            case Effect.Halt halt:
                Violate("no halt", $"member {host.Index} halted: {halt.Reason}");
                break;
            case Effect.RoundEnded ended:
                CheckRound(host, ended.Summary);
                break;
            case Effect.FetchRound:
                Probe("catch-up");
                break;
            case Effect.FetchBase:
                Probe("base fetched whole");
                break;
            default:
                break;
        }
    }

    private void CheckRecord(Host host, Record record)
    {
        if (record.Table == Table.Rounds && record.Value is ByteString row)
        {
            if (!RoundRecord.TryRead(row.Span, out RoundRecord? round))
            {
                Violate("records can be read", $"member {host.Index} wrote a round record that cannot be read");
                return;
            }

            CheckDecided(host, round.Set);
            if (round.Result.Length > 0)
            {
                CheckDecided(host, round.Result);
            }
        }
        else if (record.Table == Table.Certificates && record.Value is ByteString bytes
            && Certificate.TryRead(bytes.Span, out Certificate? certificate) && certificate.Kind == VoteKind.Finalize)
        {
            CheckDecided(host, certificate.Instance, certificate.Value);
        }
        else if (record.Table == Table.Evidence && record.Value is ByteString evidence)
        {
            CheckEvidence(host, evidence);
        }
    }

    private void CheckDecided(Host host, ByteString body)
    {
        if (DecidedValue.TryRead(body.Span, out DecidedValue? value))
        {
            CheckDecided(host, value.Place, value.Digest);
        }
        else
        {
            Violate("records can be read", $"member {host.Index} recorded a value that cannot be read");
        }
    }

    /// <summary>Agreement: no two decided values.</summary>
    private void CheckDecided(Host host, Instance place, Digest value)
    {
        if (!_decided.TryAdd((place.Round, place.Agreement), value) && _decided[(place.Round, place.Agreement)] != value)
        {
            Violate("agreement", $"round {place.Round}, {place.Agreement}: member {host.Index} decided {value.ToShortString()}, "
                + $"another decided {_decided[(place.Round, place.Agreement)].ToShortString()}");
        }
    }

    /// <summary>No honest member in evidence.</summary>
    private void CheckEvidence(Host host, ByteString evidence)
    {
        Probe("evidence");
        CanonicalReader reader = new(evidence.Span);
        if (!reader.TryReadArray(2)
            || !reader.TryReadBinary(1, Limits.MessageBytes, out ReadOnlySpan<byte> first)
            || !SignedStatement.TryRead(first, out SignedStatement? statement))
        {
            Violate("records can be read", $"member {host.Index} wrote evidence that cannot be read");
        }
        else if (world.HostOf(statement.Author).IsHonest)
        {
            Violate("no honest member in evidence", $"member {host.Index} holds evidence against honest member {world.HostOf(statement.Author).Index}: {statement.Statement}");
        }
    }

    private void CheckReport(Host host, Effect.Report report)
    {
        if (world.HostOf(report.Member).IsHonest && report.Fault is MemberFault.Equivocation or MemberFault.BadReceipt or MemberFault.BadManifest)
        {
            string whom = report.Member == host.Id ? "itself" : $"honest member {world.HostOf(report.Member).Index}";
            Violate("no honest member accused", $"member {host.Index} reports {whom}: {report.Fault}");
        }
    }

    /// <summary>No slot signed twice; and a vote for a set that leaves out nobody in time.</summary>
    private void CheckSigned(Host host, SignedStatement signed)
    {
        if (!_seen.Add(signed))
        {
            return;
        }

        ByteString slot = RecordKeys.Slot(signed.Instance, signed.Statement);
        ByteString bytes = signed.Encode();
        if (!_slots.TryAdd((signed.Author, slot), bytes))
        {
            if (!_slots[(signed.Author, slot)].Equals(bytes))
            {
                Violate("no slot signed twice", $"member {host.Index} signed {signed.Statement} in a slot that holds something else");
            }

            // Said again after a restart: it was judged when it was said first.
            return;
        }

        CheckPossible(host, signed);
        if (signed.Statement is Statement.Notarize vote && signed.Instance.Agreement == AgreementKind.Set)
        {
            CheckOmission(host, vote);
            CheckVoid(host, vote);
        }
        else if (signed.Statement is Statement.Propose { ParentView: > 0 })
        {
            Probe("re-proposal");
        }
    }

    private void CheckPossible(Host host, SignedStatement signed)
    {
        (long Round, AgreementKind Agreement) place = (signed.Instance.Round, signed.Instance.Agreement);
        if (!_possible.TryGetValue(place, out PossibleDecisions? possible))
        {
            possible = new PossibleDecisions(world.Committee.Quorum - world.Options.ByzantineSeats);
            _possible.Add(place, possible);
        }

        if (possible.Take(host.Id, signed.Statement) is string contradiction)
        {
            Violate("what may be decided is never contradicted", $"round {place.Round}, {place.Agreement}, member {host.Index}: {contradiction}");
        }
    }

    private void CheckOmission(Host host, Statement.Notarize vote)
    {
        bool isFresh = host.Partner!.ProposalOf(AgreementKind.Set, vote.View) is { ParentView: 0 };
        if (isFresh && vote.View <= world.Committee.Faults + 1
            && host.Partner.ValueOf(vote.Value) is DecidedValue.Set set
            && host.Partner.LeftOutOf(set) is MemberId leftOut)
        {
            Violate("nobody in time left out", $"member {host.Index} notarized a set without member {world.HostOf(leftOut).Index}, "
                + $"whose manifest it held fully receipted in time, in round {set.Instance.Round}, view {vote.View}");
        }
    }

    /// <summary>No round is lost for nothing: VOID is judged afresh only by who holds no set.</summary>
    private void CheckVoid(Host host, Statement.Notarize vote)
    {
        bool isFresh = host.Partner!.ProposalOf(AgreementKind.Set, vote.View) is { ParentView: 0 };
        if (isFresh && host.Partner.ValueOf(vote.Value) is DecidedValue.Void && host.Partner.HoldsSet)
        {
            Violate("no round lost for nothing", $"member {host.Index} notarized VOID in view {vote.View} while it held a set");
        }
    }

    private void ProbeCertificate(Certificate certificate)
    {
        if (certificate.Kind == VoteKind.Nullify)
        {
            Probe("view nullified");
        }
        else if (certificate.View >= 3)
        {
            Probe("view 3 or later");
        }
    }

    /// <summary>Identical bases at equal rounds, identical roots at equal sizes.</summary>
    private void CheckRound(Host host, RoundSummary summary)
    {
        if (!_bases.TryAdd(summary.Round, summary.Base) && _bases[summary.Round] != summary.Base)
        {
            Violate("one base", $"after round {summary.Round} member {host.Index} has base {summary.Base.ToShortString()}, another {_bases[summary.Round].ToShortString()}");
        }

        if (!_roots.TryAdd(summary.TreeSize, summary.TreeRoot) && _roots[summary.TreeSize] != summary.TreeRoot)
        {
            Violate("one ledger", $"at size {summary.TreeSize} member {host.Index} has another root than another member");
        }

        if (IsVoid.TryAdd(summary.Round, summary.IsVoid))
        {
            Included[summary.Round] = summary.Included.Count;
            Probe(summary.IsVoid ? "VOID" : "result");
            CheckDuration(summary);
        }

        RoundMs.Add(summary.ElapsedMs);
    }

    /// <summary>Liveness: after the healing a round ends within the bound after the one before it.</summary>
    private void CheckDuration(RoundSummary summary)
    {
        long now = world.Time.NowUs / 1000;
        long before = Math.Max(_roundEnds.GetValueOrDefault(summary.Round - 1), world.Options.HealAtMs);
        _roundEnds[summary.Round] = now;
        if (now - before > world.Options.RoundBoundMs)
        {
            Violate("liveness", $"round {summary.Round} took {now - before} ms after the healing; the bound is {world.Options.RoundBoundMs} ms");
        }
    }
}

/// <summary>A broken promise.</summary>
/// <param name="Promise">Which.</param>
/// <param name="What">How, for people.</param>
/// <param name="AtMs">When, in milliseconds of virtual time.</param>
public sealed record Violation(string Promise, string What, long AtMs);
