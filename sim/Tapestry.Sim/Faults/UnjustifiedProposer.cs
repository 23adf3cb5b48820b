using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>As leader of a later view proposes VOID or another set afresh, whatever was notarized before.</summary>
internal sealed class UnjustifiedProposer(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    protected override IEnumerable<Effect> Distort(Effect.Send send)
    {
        if (send.Message is not PeerMessage.Signed { Statement: { Statement: Statement.Propose { View: > 1 } propose } signed } || signed.Author != Host.Id)
        {
            return [send];
        }

        DecidedValue value = BodyOf(propose.Value) switch
        {
            DecidedValue.Set set => set with { CertifiedTimeMs = World.StartMs + (World.Time.NowUs / 1000) },
            DecidedValue.Result result => new DecidedValue.Void(result.Instance, World.StartMs, result.SetDigest),
            _ => new DecidedValue.Void(signed.Instance, World.StartMs + (World.Time.NowUs / 1000), Digest.Zero),
        };
        Digest digest = Serve(value);
        return
        [
            To(send.To, Sign(signed.Instance, new Statement.Propose(propose.View, digest, 0))),
            To(send.To, Sign(signed.Instance, new Statement.Notarize(propose.View, digest))),
            To(send.To, Sign(signed.Instance, new Statement.Finalize(propose.View, digest))),
        ];
    }
}
