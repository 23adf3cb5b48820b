using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>Signs a second manifest with other tokens and sends each to one half.</summary>
internal sealed class EquivocatingContributor(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    protected override IEnumerable<Effect> Distort(Effect.Send send)
    {
        if (send.Message is not PeerMessage.Signed { Statement: { Statement: Statement.Manifest manifest } signed } || signed.Author != Host.Id)
        {
            return [send];
        }

        (Sequence<MemberId> one, Sequence<MemberId> other) = Halve(send.To);
        return [new Effect.Send(one, send.Message), To(other, Sign(signed.Instance, manifest with { Tokens = manifest.Tokens + 1 }))];
    }
}
