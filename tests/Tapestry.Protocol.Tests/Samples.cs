using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;

namespace Tapestry.Protocol.Tests;

/// <summary>Values drawn from a seed: equal seeds give equal values on every machine.</summary>
internal sealed class Samples(int seed)
{
    private readonly Random _random = new(seed);

    /// <summary>A plan that stays as it is when the defaults change: golden bytes depend on it.</summary>
    internal static Plan Plan { get; } = new()
    {
        Name = "sample",
        Model = new ModelShape(260, 128, 4, 4, 2, 344, 128, 10_000, 1e-5, true, "bytes"),
        ParameterCount = 759_424,
        InitialSeed = -7,
        Inner = new InnerTraining(10, 8, 2e-3, 0.9, 0.99, 1e-8, 0.1, 1, 20, "cosine", 0.1),
        Outer = new OuterStep(0.7, 0.9),
        Exchange = new Exchange(Codec.MxInt8, Codec.Fp32, 65536, 8),
        Influence = new InfluenceRule(3, 0.4, 1L << 24, 2),
        Timing = new Timing(20_000, 2_500, 10_000, 2_000, 16_000, 500, 1_000, 2_000, 8),
        Rounds = 24,
    };

    /// <summary>The key of a numbered member.</summary>
    internal static SigningKey Key(int number)
    {
        byte[] bytes = new byte[SigningKey.SeedLength];
        BitConverter.TryWriteBytes(bytes, number);
        return SigningKey.FromSeed(bytes);
    }

    /// <summary>Keys 0 to count - 1, ascending by member id.</summary>
    internal static SigningKey[] Keys(int count) =>
        [.. Enumerable.Range(0, count).Select(Key).OrderBy(static key => new MemberId(key.PublicKey))];

    internal static MemberId Id(SigningKey key) => new(key.PublicKey);

    internal static Committee Committee(IEnumerable<SigningKey> keys) => new(keys.Select(Id).Order().ToSequence());

    /// <summary>One message of every type, signed; certificates are by 4 members.</summary>
    internal IEnumerable<PeerMessage> Messages()
    {
        SigningKey[] keys = Keys(4);
        Committee committee = Committee(keys);
        foreach (Statement statement in Statements())
        {
            yield return new PeerMessage.Signed(Sign(statement, keys[_random.Next(keys.Length)], committee));
        }

        foreach (VoteKind kind in Enum.GetValues<VoteKind>())
        {
            yield return new PeerMessage.Certified(Certify(keys, kind, Instance(Some(AgreementKind.Set, AgreementKind.Result), committee), View()));
        }

        yield return new PeerMessage.Status(Long(1), Some(Enum.GetValues<AgreementKind>()), _random.Next());
        yield return new PeerMessage.Want(Long(1), Digests(_random.Next(1, 4)).Order().ToSequence());
    }

    internal SignedStatement Sign(Statement statement, SigningKey key, Committee committee)
    {
        Instance instance = statement switch
        {
            Statement.Manifest => Instance(AgreementKind.None, null),
            Statement.Receipt or Statement.Settlement => Instance(AgreementKind.None, committee),
            _ => Instance(Some(AgreementKind.Set, AgreementKind.Result), committee),
        };
        return SignedStatement.Sign(instance, Id(key), statement, key);
    }

    internal Certificate Certify(IReadOnlyList<SigningKey> signers, VoteKind kind, Instance instance, int view)
    {
        Digest value = kind == VoteKind.Nullify ? Crypto.Digest.Zero : Digest();
        Statement vote = new Certificate(instance, kind, view, value, []).Vote;
        return new Certificate(instance, kind, view, value, signers
            .Select(key => SignedStatement.Sign(instance, Id(key), vote, key))
            .Select(static signed => new CertificateVote(signed.Author, signed.Signature))
            .OrderBy(static entry => entry.Author).ToSequence());
    }

    internal IEnumerable<Statement> Statements()
    {
        int view = View();
        yield return Manifest(_random.Next(1, 17), _random.Next(0, 4));
        yield return new Statement.Receipt(Digest(), _random.Next(4), Slices().Select(slice => new SliceSum(slice, Math.Abs(Number()))).ToSequence());
        yield return new Statement.Settlement(Digest(), _random.Next(4), Slices().Select(Outcome).ToSequence());
        yield return new Statement.Propose(view, Digest(), _random.Next(view));
        yield return new Statement.Notarize(view, Digest());
        yield return new Statement.Nullify(view);
        yield return new Statement.Finalize(view, Digest());
    }

    internal Statement.Manifest Manifest(int shards, int catalogueEntries) => new(
        Digest(), Some(Codec.Fp32, Codec.MxInt8), Long(1), Number(), Number(), Long(1),
        Digests(catalogueEntries).Order().ToSequence(), Digests(shards).ToSequence());

    internal IEnumerable<DecidedValue> Values()
    {
        Committee committee = Committee(Keys(4));
        yield return Set(_random.Next(1, 6), committee);
        yield return new DecidedValue.Result(Instance(AgreementKind.Result, committee), Digest(), Digest(), Digest(), Long(1), Digest());
        yield return new DecidedValue.Void(Instance(AgreementKind.Set, committee), Long(0), Crypto.Digest.Zero);
        yield return new DecidedValue.Void(Instance(AgreementKind.Result, committee), Long(0), Digest());
    }

    internal DecidedValue.Set Set(int included, Committee committee) => new(
        Instance(AgreementKind.Set, committee), Long(0), Digest(), Digest(), Long(0),
        Enumerable.Range(0, included)
            .Select(_ => new Inclusion(Member(), Digest(), Math.Abs(Number()), _random.NextDouble(), Long(1)))
            .OrderBy(static inclusion => inclusion.Member).ToSequence(),
        Digests(_random.Next(0, 3)).ToSequence(),
        Enumerable.Range(1, _random.Next(0, 4)).Select(round => new RecordedDecision(round, Some(AgreementKind.Set, AgreementKind.Result), Digest())).ToSequence());

    internal Genesis Genesis(int members = 4)
    {
        SigningKey[] keys = Keys(members);
        return new Genesis(
            "test-net", 1_790_000_000_000, Plan, Digest(),
            keys.Select((key, index) => new Member(Id(key), $"Member {index}", Key((3 * index) + 1000).PublicKey, Key((3 * index) + 1001).PublicKey)).ToSequence(),
            keys.Select(Id).ToSequence(), NoFaultTolerance: members < 4);
    }

    internal Instance Instance(AgreementKind agreement, Committee? committee) => new(
        Digest(), Digest(), Long(1), _random.Next(3), _random.Next(3), agreement, committee?.Digest ?? Crypto.Digest.Zero);

    internal Digest Digest()
    {
        byte[] bytes = new byte[Crypto.Digest.Length];
        _random.NextBytes(bytes);
        return new Digest(bytes);
    }

    internal MemberId Member() => new(new PublicKey(Digest().ToArray()));

    /// <summary>A finite double of any magnitude, often a whole one; never -0.</summary>
    internal double Number()
    {
        double number = _random.Next(4) switch
        {
            0 => _random.Next(-3, 4),
            1 => _random.NextDouble(),
            _ => BitConverter.Int64BitsToDouble(_random.NextInt64(long.MinValue, long.MaxValue)),
        };
        return double.IsFinite(number) ? number + 0.0 : 0.5;
    }

    /// <summary>A number of any length in bits, at least the minimum.</summary>
    internal long Long(long minimum) => Math.Max(minimum, _random.NextInt64() >> _random.Next(64));

    internal T Some<T>(params T[] choices) => choices[_random.Next(choices.Length)];

    private int View() => 1 + (_random.Next() >> _random.Next(31));

    private IEnumerable<Digest> Digests(int count) => [.. Enumerable.Range(0, count).Select(_ => Digest())];

    private IEnumerable<int> Slices() =>
        [.. Enumerable.Range(0, _random.Next(1, 20)).Select(_ => _random.Next(Limits.Slices)).Distinct().Order()];

    private SliceOutcome Outcome(int slice) =>
        _random.Next(4) == 0 ? new SliceOutcome(slice, Crypto.Digest.Zero, Crypto.Digest.Zero) : new SliceOutcome(slice, Digest(), Digest());
}
