using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Xunit;

namespace Tapestry.Protocol.Tests.Scenarios;

/// <summary>specs/30-rounds.md, sections 3 and 8: what a member does with its own update, whatever comes of the round.</summary>
public sealed class ContributeTests
{
    private static readonly Digest Residual = Digest.Of("candidate residual"u8);

    private readonly PartnerBench _bench = new();

    [Theory]
    [InlineData(double.NaN, 1)]
    [InlineData(2, double.PositiveInfinity)]
    [InlineData(2, -0.0)]
    public void An_update_whose_losses_cannot_be_said_is_refused_and_trained_again(double before, double after)
    {
        Train(Update() with { LossBefore = before, LossAfter = after });
        _bench.Rows(Table.Update).Should().BeEmpty();
        _bench.Said<Statement.Manifest>().Should().BeEmpty();
        _bench.Effects.OfType<Effect.Train>().Should().BeEmpty("the retry timer comes first");

        Effect.SetTimer retry = _bench.Effects.OfType<Effect.SetTimer>().Single(timer => timer.Timer.Kind == TimerKind.Retry);
        _bench.Do(new PartnerEvent.TimerFired(retry.Timer));
        Train(Update());
        _bench.Said<Statement.Manifest>().Should().ContainSingle();
    }

    [Fact]
    public void A_manifest_is_said_first_by_gossip_and_again_on_streams()
    {
        Train(Update());
        Effect.Publish first = _bench.Effects.OfType<Effect.Publish>().Should().ContainSingle().Subject;
        first.Message.Should().BeOfType<PeerMessage.Signed>().Which.Statement.Statement.Should().BeOfType<Statement.Manifest>();
        first.To.Should().HaveCount(_bench.Genesis.Members.Count - 1);

        _bench.Effects.Clear();
        _bench.PassResend();
        _bench.Effects.OfType<Effect.Publish>().Should().BeEmpty("whoever did not hear it may not be reached by gossip");
        _bench.Effects.OfType<Effect.Send>().Should().Contain(send => send.Message == first.Message);
    }

    [Fact]
    public void However_many_rounds_are_VOID_the_blobs_of_the_own_update_are_kept()
    {
        LocalUpdate update = Update();
        Train(update);
        for (int round = 1; round <= _bench.Genesis.Plan.Timing.KeepRounds + 2; round++)
        {
            _bench.DecideVoid(round);
            _bench.Status.Round.Should().Be(round + 1);
        }

        Effect.Forget forget = _bench.Effects.OfType<Effect.Forget>().Last();
        forget.Round.Should().BeGreaterThan(1);
        forget.Keep.Should().BeEquivalentTo([.. update.ShardRoots, Residual]);
    }

    private LocalUpdate Update() => new(
        _bench.Genesis.InitialBase, [Digest.Of("shard 0"u8), Digest.Of("shard 1"u8)], Residual, Tokens: 1000, LossBefore: 2, LossAfter: 1);

    private void Train(LocalUpdate update) => _bench.EndAll<Effect.Train>(train => train.Id, _ => new EffectOutcome.Trained(update));
}
