using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>Says old things again, to anybody, at any time.</summary>
internal sealed class Replayer(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    private const int Remembered = 256;

    private readonly List<PeerMessage> _said = [];

    protected override IEnumerable<Effect> Distort(Effect.Send send)
    {
        yield return send;
        if (_said.Count < Remembered)
        {
            _said.Add(send.Message);
        }
        else
        {
            _said[(int)Random.Below(Remembered)] = send.Message;
        }

        MemberId victim = World.Genesis.Members[(int)Random.Below(World.Genesis.Members.Count)].Id;
        if (victim != Host.Id)
        {
            yield return new Effect.Send([victim], _said[(int)Random.Below(_said.Count)]);
        }
    }
}
