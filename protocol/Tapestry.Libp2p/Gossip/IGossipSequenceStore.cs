namespace Tapestry.Libp2p.Gossip;

/// <summary>Keeps over a restart up to where our sequence numbers may have been said, so that a clock set back makes none stale.</summary>
/// <remarks>Must not throw: what cannot be read or kept leaves our numbers to the clock.</remarks>
public interface IGossipSequenceStore
{
    /// <summary>The ceiling that was saved last; 0 when none was.</summary>
    ulong Load();

    /// <summary>Keeps a ceiling, on disk when this returns: numbers up to it are said from then on. Called by one thread at a time, once in 65,536 messages.</summary>
    void Save(ulong ceiling);
}
