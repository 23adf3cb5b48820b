using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>Proposes one value to some and another to others, and votes for both.</summary>
internal sealed class EquivocatingLeader(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    protected override IEnumerable<Effect> Distort(Effect.Send send)
    {
        if (send.Message is not PeerMessage.Signed { Statement: { Statement: Statement.Propose propose } signed } || signed.Author != Host.Id
            || BodyOf(propose.Value) is not DecidedValue value)
        {
            return [send];
        }

        Digest other = Serve(value switch
        {
            DecidedValue.Set set => set with { CertifiedTimeMs = set.CertifiedTimeMs + 1 },
            DecidedValue.Result result => new DecidedValue.Void(result.Instance, World.Time.NowUs / 1000, result.SetDigest),
            DecidedValue.Void empty => empty with { CertifiedTimeMs = empty.CertifiedTimeMs + 1 },
            _ => value,
        });
        (Sequence<MemberId> one, Sequence<MemberId> rest) = Halve(send.To);
        return
        [
            new Effect.Send(one, send.Message),
            To(rest, Sign(signed.Instance, propose with { Value = other })),
            To(one, Sign(signed.Instance, new Statement.Notarize(propose.View, propose.Value))),
            To(rest, Sign(signed.Instance, new Statement.Notarize(propose.View, other))),
        ];
    }
}
