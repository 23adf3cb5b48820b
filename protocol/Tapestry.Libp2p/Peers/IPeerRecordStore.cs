namespace Tapestry.Libp2p;

/// <summary>Where an <see cref="AddressBook"/> keeps signed records over a restart.</summary>
/// <remarks>Called under the book's lock, from any thread, one call at a time; must not call the book. May lose the latest writes in a crash.</remarks>
public interface IPeerRecordStore
{
    /// <summary>Everything that is stored. Read once, checked like what a peer sends.</summary>
    IEnumerable<StoredPeerRecord> Load();

    /// <summary>Stores a record in place of the peer's last one.</summary>
    void Save(PeerId peer, StoredPeerRecord record);

    /// <summary>Forgets a peer's record.</summary>
    void Remove(PeerId peer);
}

/// <summary>A signed peer record at rest.</summary>
/// <param name="Envelope">The signed envelope.</param>
/// <param name="SeenAt">When it last came from somebody.</param>
public sealed record StoredPeerRecord(ReadOnlyMemory<byte> Envelope, DateTimeOffset SeenAt);
