using FluentAssertions;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>A bad plan or genesis is refused by the name of its key.</summary>
public sealed class PlanRulesTests
{
    private static readonly Plan Good = PlanDefaults.Small;
    private static readonly Genesis GoodGenesis = new Samples(1).Genesis();

    public static TheoryData<string, Plan> BadPlans => new()
    {
        { "name", Good with { Name = "" } },
        { "name", Good with { Name = new string('n', 65) } },
        { "model.vocabulary", Good with { Model = Good.Model with { Vocabulary = 0 } } },
        { "model.heads", Good with { Model = Good.Model with { Heads = 3, KeyValueHeads = 3 } } },
        { "model.keyValueHeads", Good with { Model = Good.Model with { KeyValueHeads = 3 } } },
        { "model.ropeTheta", Good with { Model = Good.Model with { RopeTheta = double.NaN } } },
        { "model.tokenizer", Good with { Model = Good.Model with { Tokenizer = "words" } } },
        { "parameterCount", Good with { ParameterCount = 0 } },
        { "inner.steps", Good with { Inner = Good.Inner with { Steps = 0 } } },
        { "inner.learningRate", Good with { Inner = Good.Inner with { LearningRate = double.PositiveInfinity } } },
        { "inner.beta2", Good with { Inner = Good.Inner with { Beta2 = 1 } } },
        { "inner.weightDecay", Good with { Inner = Good.Inner with { WeightDecay = -0.0 } } },
        { "inner.schedule", Good with { Inner = Good.Inner with { Schedule = "linear" } } },
        { "outer.learningRate", Good with { Outer = new OuterStep(0, 0.9) } },
        { "outer.momentum", Good with { Outer = new OuterStep(0.7, 1) } },
        { "exchange.up", Good with { Exchange = Good.Exchange with { Up = (Codec)9 } } },
        { "exchange.chunkBytes", Good with { Exchange = Good.Exchange with { ChunkBytes = 100_000 } } },
        { "exchange.slices", Good with { Exchange = Good.Exchange with { Slices = 0 } } },
        { "exchange.slices", Good with { Exchange = Good.Exchange with { Slices = 48 } } },
        { "exchange.slices", Good with { Exchange = Good.Exchange with { Slices = 30 } } },
        { "influence.cap", Good with { Influence = Good.Influence with { Cap = 0 } } },
        { "influence.normMultiple", Good with { Influence = Good.Influence with { NormMultiple = 0.5 } } },
        { "timing.closeMarginMs", Good with { Timing = Good.Timing with { CloseMarginMs = 20_000 } } },
        { "timing.closeMarginMs", Good with { Timing = Good.Timing with { SkewMs = 2_000 } } },
        { "timing.viewMaximumMs", Good with { Timing = Good.Timing with { ViewMaximumMs = 1_000 } } },
        { "rounds", Good with { Rounds = 0 } },
    };

    public static TheoryData<string, Genesis> BadGeneses => new()
    {
        { "networkName", GoodGenesis with { NetworkName = "Über" } },
        { "networkName", GoodGenesis with { NetworkName = "" } },
        { "createdMs", GoodGenesis with { CreatedMs = -1 } },
        { "plan.rounds", GoodGenesis with { Plan = Good with { Rounds = -1 } } },
        { "initialBase", GoodGenesis with { InitialBase = Crypto.Digest.Zero } },
        { "members", GoodGenesis with { Members = GoodGenesis.Members.Reverse().ToSequence() } },
        { "members", GoodGenesis with { Members = [.. GoodGenesis.Members.Take(3), GoodGenesis.Members[3] with { PeerKey = GoodGenesis.Members[0].Id.Key }] } },
        { "members[2].name", GoodGenesis with { Members = [.. GoodGenesis.Members.Take(2), GoodGenesis.Members[2] with { Name = "a\nb" }, GoodGenesis.Members[3]] } },
        { "plan.influence.minimumMembers", GoodGenesis with { Plan = Good with { Influence = Good.Influence with { MinimumMembers = 5 } } } },
        { "committee", GoodGenesis with { Committee = GoodGenesis.Committee.Reverse().ToSequence() } },
        { "committee", GoodGenesis with { Committee = [] } },
        { "committee", GoodGenesis with { Committee = [.. GoodGenesis.Committee.Append(Samples.Id(Samples.Key(77))).Order()] } },
        { "committee", GoodGenesis with { Committee = GoodGenesis.Committee.Take(3).ToSequence() } },
        { "noFaultTolerance", GoodGenesis with { NoFaultTolerance = true } },
    };

    [Fact]
    public void The_default_plan_is_good() => PlanRules.Validate(Good).Should().BeEmpty();

    [Fact]
    public void A_good_genesis_is_good() => GenesisRules.Validate(GoodGenesis).Should().BeEmpty();

    [Fact]
    public void A_small_committee_is_good_when_asked_for() => GenesisRules.Validate(new Samples(1).Genesis(2)).Should().BeEmpty();

    [Theory]
    [MemberData(nameof(BadPlans))]
    public void A_bad_plan_is_refused_by_key(string key, Plan plan)
    {
        Sequence<PlanProblem> problems = PlanRules.Validate(plan);
        problems.Should().Contain(problem => problem.Key == key);
        problems.Should().OnlyContain(problem => problem.Value.Length > 0 && problem.Range.Length > 0 && problem.Hint.Length > 0);
    }

    [Theory]
    [MemberData(nameof(BadGeneses))]
    public void A_bad_genesis_is_refused_by_key(string key, Genesis genesis) =>
        GenesisRules.Validate(genesis).Should().Contain(problem => problem.Key == key);
}
