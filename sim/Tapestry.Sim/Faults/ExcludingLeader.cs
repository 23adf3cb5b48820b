using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>As leader leaves a rival out of an otherwise perfect set.</summary>
internal sealed class ExcludingLeader(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    protected override IEnumerable<Effect> Distort(Effect.Send send)
    {
        if (send.Message is not PeerMessage.Signed { Statement: { Statement: Statement.Propose { ParentView: 0 } propose } signed } || signed.Author != Host.Id
            || BodyOf(propose.Value) is not DecidedValue.Set set || set.Included.Count < 2)
        {
            return [send];
        }

        int rival = (int)Random.Below(set.Included.Count);
        MeasuredUpdate[] rest = [.. set.Included.Where((_, index) => index != rival)
            .Select(one => new MeasuredUpdate(one.Member, one.Manifest, TokensOf(one.Manifest), one.Norm))];
        DecidedValue.Set without = set with { Included = Influence.Of(rest, World.Genesis.Plan.Influence) };
        return [To(send.To, Sign(signed.Instance, propose with { Value = Serve(without) }))];
    }

    private long TokensOf(Digest manifest) =>
        Host.Disk.Read(Table.Bodies, RecordKeys.Of(manifest)) is ByteString bytes
        && SignedStatement.TryRead(bytes.Span, out SignedStatement? signed)
            ? ((Statement.Manifest)signed.Statement).Tokens
            : 1;
}
