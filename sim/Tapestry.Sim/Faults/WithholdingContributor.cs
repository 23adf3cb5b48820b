using Tapestry.Crypto;

namespace Tapestry.Sim.Faults;

/// <summary>Signs its manifest and serves its shards to a few members only.</summary>
internal sealed class WithholdingContributor(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    private readonly int _favoured = (int)random.Between(1, 3);

    internal override bool Serves(Host to, Digest blob) => to.Index % 3 < _favoured && to.Index % 2 == 0;
}
