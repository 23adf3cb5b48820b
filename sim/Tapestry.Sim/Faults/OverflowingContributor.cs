using Tapestry.Crypto;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>Contributes finite values whose aggregate is not: now and then every owner finds NONFINITE.</summary>
internal sealed class OverflowingContributor(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    protected override IEnumerable<Effect> Distort(Effect.Send send)
    {
        if (send.Message is PeerMessage.Signed { Statement: { Statement: Statement.Manifest manifest } signed } && signed.Author == Host.Id
            && Random.Chance(0.3))
        {
            foreach (Digest root in manifest.ShardRoots)
            {
                World.Overflowing.Add(root);
            }
        }

        return [send];
    }
}
