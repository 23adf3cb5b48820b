using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>Signs NULLIFY and FINALIZE of every view in which it votes, to different members or to all.</summary>
internal sealed class DoubleVoter(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    protected override IEnumerable<Effect> Distort(Effect.Send send)
    {
        if (send.Message is not PeerMessage.Signed { Statement: { Statement: Statement.Notarize vote } signed } || signed.Author != Host.Id)
        {
            return [send];
        }

        (Sequence<MemberId> one, Sequence<MemberId> other) = Halve(send.To);
        return
        [
            send,
            To(one, Sign(signed.Instance, new Statement.Finalize(vote.View, vote.Value))),
            To(Random.Chance(0.5) ? other : send.To, Sign(signed.Instance, new Statement.Nullify(vote.View))),
        ];
    }
}
