using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;
using Record = Tapestry.Protocol.Partners.Record;

namespace Tapestry.Protocol.Tests.Scenarios;

/// <summary>One real partner of a committee of four; the test plays the other three, with their keys, and the daemon.</summary>
internal sealed class PartnerBench
{
    internal const int SliceCount = 2;

    private readonly SigningKey[] _keys = Samples.Keys(4);
    private readonly SortedDictionary<ByteString, ByteString>[] _tables =
        [.. Enum.GetValues<Table>().Select(_ => new SortedDictionary<ByteString, ByteString>(ByteOrder.Instance))];

    private readonly SigningKey _own;
    private Partner _partner;
    private Effect.SetTimer? _resend;

    internal PartnerBench()
    {
        Plan plan = Samples.Plan with
        {
            Exchange = Samples.Plan.Exchange with { Slices = SliceCount },
            Timing = Samples.Plan.Timing with { ContributeMs = 20_000, CloseMarginMs = 2_500, SkewMs = 1_000, AggregateMs = 10_000 },
        };
        Member[] members = [.. _keys.Select((key, index) => new Member(
            Samples.Id(key), $"m{index}", Samples.Key(100 + index).PublicKey, Samples.Key(200 + index).PublicKey))];
        Genesis = new Genesis(
            "bench", 1_000_000, plan, Digest.Of("B_0"u8), Sequence.Create<Member>(members), members.Select(member => member.Id).ToSequence(), false);
        Committee = new Committee(Genesis.Committee);
        Places = new RoundPlaces(1, Genesis.Digest, plan.Digest, Committee.Digest);

        // Leads neither agreement's first view, so that the test can propose.
        MemberId[] leaders = [Committee.Leader(Places.Set, 1), Committee.Leader(Places.Result, 1), Committee.Leader(Places.Set, 2)];
        _own = _keys.First(key => !leaders.Contains(Samples.Id(key)));
        Others = [.. _keys.Where(key => key != _own)];
        _partner = Restore();
        Do(new PartnerEvent.Started());
    }

    internal Genesis Genesis { get; }

    internal Committee Committee { get; }

    internal RoundPlaces Places { get; }

    internal SigningKey[] Others { get; }

    internal MemberId Self => Samples.Id(_own);

    internal long Ms { get; set; } = 5_000_000;

    internal List<Effect> Effects { get; } = [];

    internal PartnerStatus Status => _partner.Status;

    internal IEnumerable<SignedStatement> Sent => Effects.MessagesOf().OfType<PeerMessage.Signed>().Select(signed => signed.Statement);

    internal IEnumerable<T> Said<T>()
        where T : Statement => Sent.Where(sent => sent.Author == Self).Select(sent => sent.Statement).OfType<T>().Distinct();

    internal IReadOnlyDictionary<ByteString, ByteString> Rows(Table table) => _tables[(int)table];

    internal void Do(PartnerEvent input)
    {
        Step step = _partner.Step(input, new Instant(Ms, Ms));
        foreach (Record record in step.Records)
        {
            if (record.Value is ByteString value)
            {
                _tables[(int)record.Table][record.Key] = value;
            }
            else
            {
                _tables[(int)record.Table].Remove(record.Key);
            }
        }

        Effects.AddRange(step.Effects);
        _resend = step.Effects.OfType<Effect.SetTimer>().LastOrDefault(timer => timer.Timer.Kind == TimerKind.Resend) ?? _resend;
    }

    /// <summary>Loses everything but the records, and starts again.</summary>
    internal void Restart()
    {
        Effects.Clear();
        _partner = Restore();
        Do(new PartnerEvent.Started());
    }

    /// <summary>Lets the own deadline of the contribution pass.</summary>
    internal void PassDeadline()
    {
        Effect.SetTimer deadline = Effects.OfType<Effect.SetTimer>().Last(timer =>
            timer.Timer.Kind == TimerKind.Deadline && timer.Timer.Agreement == AgreementKind.None);
        Ms = Math.Max(Ms, deadline.AtMonotonicMs);
        Do(new PartnerEvent.TimerFired(deadline.Timer));
    }

    /// <summary>Fires the newest timer of a kind, at its moment.</summary>
    internal void Fire(TimerKind kind)
    {
        Effect.SetTimer set = Effects.OfType<Effect.SetTimer>().Last(timer => timer.Timer.Kind == kind);
        Ms = Math.Max(Ms, set.AtMonotonicMs);
        Do(new PartnerEvent.TimerFired(set.Timer));
    }

    internal void Hear(SigningKey from, PeerMessage message) => Do(new PartnerEvent.MessageReceived(Samples.Id(from), message));

    /// <summary>Lets the last resend timer run out, wherever the clock then is.</summary>
    internal void PassResend()
    {
        Effect.SetTimer resend = _resend!;
        Ms = Math.Max(Ms, resend.AtMonotonicMs);
        Do(new PartnerEvent.TimerFired(resend.Timer));
    }

    internal void Hear(SigningKey from, Instance place, Statement statement)
    {
        SignedStatement signed = SignedStatement.Sign(place, Samples.Id(from), statement, from);
        Do(new PartnerEvent.MessageReceived(Samples.Id(from), new PeerMessage.Signed(signed)));
    }

    /// <summary>Ends every effect of a kind that has not been ended.</summary>
    internal void EndAll<T>(Func<T, EffectId> id, Func<T, EffectOutcome> outcome)
        where T : Effect
    {
        foreach (T effect in Effects.OfType<T>().ToArray())
        {
            Effects.Remove(effect);
            Do(new PartnerEvent.EffectEnded(id(effect), outcome(effect)));
        }
    }

    /// <summary>A manifest of a member for round 1, heard and fully receipted by two of the others.</summary>
    internal Digest Contribute(SigningKey author, double sum = 1)
    {
        Statement.Manifest manifest = ManifestOf(author);
        Hear(author, Places.Contributing, manifest);
        Digest digest = SignedStatement.Sign(Places.Contributing, Samples.Id(author), manifest, author).Digest;
        foreach (SigningKey holder in Others.Take(2))
        {
            Hear(holder, Places.Holding, ReceiptOf(digest, sum));
        }

        return digest;
    }

    internal Statement.Manifest ManifestOf(SigningKey author) => new(
        Genesis.InitialBase, Genesis.Plan.Exchange.Up, 1000, 2, 1, 1, Sequence<Digest>.Empty,
        Enumerable.Range(0, SliceCount).Select(slice => Digest.Of([(byte)slice, .. author.PublicKey.ToArray()])).ToSequence());

    internal Digest DigestOf(SigningKey author, Statement.Manifest manifest) =>
        SignedStatement.Sign(Places.Contributing, Samples.Id(author), manifest, author).Digest;

    internal static Statement.Receipt ReceiptOf(Digest manifest, double sum) =>
        new(manifest, 0, Enumerable.Range(0, SliceCount).Select(slice => new SliceSum(slice, sum)).ToSequence());

    /// <summary>The set of some updates, as an honest leader would propose it now.</summary>
    internal DecidedValue.Set SetOf(params (SigningKey Author, Digest Manifest)[] updates)
    {
        Aggregation.MeasuredUpdate[] measured = [.. updates
            .Select(one => new Aggregation.MeasuredUpdate(Samples.Id(one.Author), one.Manifest, 1000, Math.Sqrt(SliceCount)))
            .OrderBy(one => one.Member)];
        return new DecidedValue.Set(
            Places.Set, Status.TreeSize, Status.TreeRoot, Genesis.InitialBase, Ms,
            Aggregation.Influence.Of(measured, Genesis.Plan.Influence), Sequence<Digest>.Empty, Sequence<RecordedDecision>.Empty);
    }

    /// <summary>Proposes a value in a view as its leader and serves its body.</summary>
    internal void Propose(Instance place, int view, DecidedValue value)
    {
        SigningKey leader = _keys.Single(key => Samples.Id(key) == Committee.Leader(place, view));
        Hear(leader, place, new Statement.Propose(view, value.Digest, 0));
        ServeBodies(value);
    }

    /// <summary>The result of a set of round 1.</summary>
    internal DecidedValue.Result ResultOf(DecidedValue.Set set, Digest newBase)
    {
        RoundLeaves before = RoundLeaves.OfGenesis(Genesis);
        Digest aggregate = Digest.Of("an aggregate"u8);
        RoundLeaves after = RoundLeaves.Of(before.After, before.Members, set, [.. set.Included.Select(_ => 1L)], aggregate, newBase);
        return new DecidedValue.Result(Places.Result, set.Digest, aggregate, newBase, after.After.Size, after.After.Root);
    }

    /// <summary>Lets a value be decided elsewhere: its certificate arrives, and its body is served.</summary>
    internal void HearDecided(DecidedValue value)
    {
        Hear(Others[0], new PeerMessage.Certified(Decide(value)));
        ServeBodies(value);
    }

    /// <summary>A certificate of FINALIZE by all the others.</summary>
    internal Certificate Decide(DecidedValue value) => new(
        value.Place, VoteKind.Finalize, 1, value.Digest,
        Others.Select(key => new CertificateVote(
            Samples.Id(key), SignedStatement.Sign(value.Place, Samples.Id(key), new Statement.Finalize(1, value.Digest), key).Signature))
            .OrderBy(vote => vote.Author).ToSequence());

    /// <summary>Lets the other three decide a value, and serves its body.</summary>
    internal void PassDecision(DecidedValue value)
    {
        foreach (SigningKey other in Others)
        {
            Hear(other, value.Place, new Statement.Finalize(1, value.Digest));
        }

        ServeBodies(value);
    }

    internal void DecideVoid(long round) =>
        PassDecision(new DecidedValue.Void(Places.Set with { Round = round }, Genesis.CreatedMs + round, Digest.Zero));

    internal void ServeBodies(DecidedValue value) => EndAll<Effect.FetchBody>(
        fetch => fetch.Id,
        fetch => fetch.Body == value.Digest
            ? new EffectOutcome.Fetched(value.Encode())
            : new EffectOutcome.Failed(EffectFault.Unavailable, null));

    private Partner Restore() => Partner.Restore(Genesis, _own, new Reader(_tables));

    private sealed class Reader(SortedDictionary<ByteString, ByteString>[] tables) : IRecordReader
    {
        public ByteString? Read(Table table, ReadOnlySpan<byte> key) => tables[(int)table].GetValueOrDefault(ByteString.CopyFrom(key));

        public IEnumerable<KeyValuePair<ByteString, ByteString>> ReadAll(Table table) => tables[(int)table];
    }
}
