namespace Tapestry.Libp2p;

/// <summary>What an <see cref="AddressBook"/> did with a signed peer record.</summary>
public enum RecordVerdict : byte
{
    /// <summary>It is newer than what was known and replaced it.</summary>
    Accepted = 0,

    /// <summary>It is the one that is held; it counts as fresh again.</summary>
    Known,

    /// <summary>A newer one of that peer is held.</summary>
    Stale,

    /// <summary>It is about a peer that we do not keep records of, or about ourselves.</summary>
    Refused,
}
