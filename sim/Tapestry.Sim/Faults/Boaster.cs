using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>Claims to be many rounds ahead, so that others ask it for records that do not exist.</summary>
internal sealed class Boaster(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    protected override IEnumerable<Effect> Distort(Effect.Send send) =>
        send.Message is PeerMessage.Status status
            ? [new Effect.Send(send.To, status with { Round = status.Round + Random.Between(1, 1000) })]
            : [send];
}
