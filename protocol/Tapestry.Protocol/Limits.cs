namespace Tapestry.Protocol;

/// <summary>Bounds that every member checks before it believes or allocates. Each has its reason; tests relate them to each other.</summary>
/// <remarks>specs/10-wire.md, section 4.</remarks>
public static class Limits
{
    /// <summary>Bytes of an encoded message or of a decided value: what a gossiped message may carry.</summary>
    public const int MessageBytes = 64 * 1024;

    /// <summary>Bytes of an encoded manifest: gossiped by every member in every round.</summary>
    public const int ManifestBytes = 16 * 1024;

    /// <summary>Bytes of an encoded genesis: read once, from a file.</summary>
    public const int GenesisBytes = 256 * 1024;

    /// <summary>Slices of a plan: so many roots fit a manifest, whatever the model's size.</summary>
    public const int Slices = 256;

    /// <summary>Catalogue entries of a manifest: what is left of a manifest beside the roots.</summary>
    public const int CatalogueEntries = 128;

    /// <summary>Members of a network: so many inclusions fit a decided set.</summary>
    public const int Members = 512;

    /// <summary>Members of a committee: a certificate stays far below a message.</summary>
    public const int CommitteeMembers = 128;

    /// <summary>Issues of a receipt or settlement by one signer: 0 to 3.</summary>
    public const int Issues = 4;

    /// <summary>Other entries of a decided set: what is left of a value beside the inclusions.</summary>
    public const int OtherEntries = 64;

    /// <summary>Decisions that one set records; each round makes two.</summary>
    public const int RecordedDecisions = 64;

    /// <summary>Manifests of which one message asks for the receipts: bounds the answer to it.</summary>
    public const int WantedManifests = 32;

    /// <summary>Characters of a name for people.</summary>
    public const int NameCharacters = 64;

    // A character of a name takes at most three bytes in UTF-8 (four are two UTF-16 units).
    internal const int NameBytes = 3 * NameCharacters;
}
