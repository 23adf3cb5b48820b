using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>Takes part in nothing: sends nothing and serves nothing, for whole stretches or for ever.</summary>
internal sealed class SilentMember(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    private const long StretchUs = 2_000_000;

    private readonly bool _forEver = random.Chance(0.5);

    private bool IsSilent => _forEver || (World.Time.NowUs / StretchUs) % 2 == 0;

    protected override IEnumerable<Effect> Distort(Effect.Send send) => IsSilent ? [] : [send];

    internal override bool Serves(Host to, Digest blob) => !IsSilent;

    internal override ByteString? Answer(Host to, Table table, ByteString? held) => IsSilent ? null : held;
}
