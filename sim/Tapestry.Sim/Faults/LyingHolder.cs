using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>Signs receipts with wrong sums and settlements with wrong roots, or NONFINITE; tells some the truth.</summary>
internal sealed class LyingHolder(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    protected override IEnumerable<Effect> Distort(Effect.Send send)
    {
        if (send.Message is not PeerMessage.Signed { Statement: { } signed } || signed.Author != Host.Id || Lie(signed.Statement) is not Statement lie)
        {
            return [send];
        }

        (Sequence<MemberId> one, Sequence<MemberId> other) = Halve(send.To);
        return [new Effect.Send(one, send.Message), To(other, Sign(signed.Instance, lie))];
    }

    private Statement? Lie(Statement statement) => statement switch
    {
        Statement.Receipt receipt => receipt with
        {
            Sums = receipt.Sums.Select(sum => sum with { SumOfSquares = sum.SumOfSquares * 1000 }).ToSequence(),
        },
        Statement.Settlement settlement => settlement with
        {
            Slices = settlement.Slices.Select(slice => Random.Chance(0.3)
                ? new SliceOutcome(slice.Slice, Digest.Zero, Digest.Zero)
                : slice with { BaseRoot = Digest.Of("a lie"u8), AggregateRoot = Digest.Of("another"u8) }).ToSequence(),
        },
        _ => null,
    };
}
