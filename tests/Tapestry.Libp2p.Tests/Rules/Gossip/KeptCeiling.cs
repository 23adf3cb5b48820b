using Tapestry.Libp2p.Gossip;

namespace Tapestry.Libp2p.Tests.Rules.Gossip;

/// <summary>A ceiling that outlives whoever saved it.</summary>
internal sealed class KeptCeiling : IGossipSequenceStore
{
    private readonly List<ulong> _saved = [];

    internal IReadOnlyList<ulong> Saved => _saved;

    public ulong Load() => _saved.LastOrDefault();

    public void Save(ulong ceiling) => _saved.Add(ceiling);
}
