using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>As leader proposes VOID, whatever it holds.</summary>
internal sealed class VoidingLeader(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    protected override IEnumerable<Effect> Distort(Effect.Send send)
    {
        if (send.Message is not PeerMessage.Signed { Statement: { Statement: Statement.Propose { ParentView: 0 } propose } signed } || signed.Author != Host.Id)
        {
            return [send];
        }

        DecidedValue.Void? empty = BodyOf(propose.Value) switch
        {
            DecidedValue.Set set => new DecidedValue.Void(set.Instance, set.CertifiedTimeMs, Digest.Zero),
            DecidedValue.Result result => new DecidedValue.Void(result.Instance, World.StartMs, result.SetDigest),
            _ => null,
        };
        return empty is null ? [send] : [To(send.To, Sign(signed.Instance, propose with { Value = Serve(empty) }))];
    }
}
