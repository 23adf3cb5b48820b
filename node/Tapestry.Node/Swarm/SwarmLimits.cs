namespace Tapestry.Node.Swarm;

/// <summary>Every number that bounds what others can make us hold, and what paces our own asking.</summary>
/// <remarks>specs/50-network.md, section 11.3.</remarks>
internal sealed record SwarmLimits
{
    /// <summary>
    /// Of a larger chunk, what must come while <see cref="Patience"/> lasts, and up to a minute more where a provider is known to be
    /// slow or busy: 256 KiB. Whoever is slower, by default than 3.3 kB a second, is given up, however steadily it trickles.
    /// </summary>
    public const int PartBytes = 256 * 1024;

    /// <summary>
    /// What is asked of a provider ahead, beside the round trip: what it sends in this time. Default 0.25 s: more would have
    /// several fetchers wait for the same chunk of a source.
    /// </summary>
    public TimeSpan Ahead { get; init; } = TimeSpan.FromSeconds(0.25);

    /// <summary>Bytes asked of a provider before its rate is known. Default 256 KiB: the first window of a stream.</summary>
    public int BytesAheadStart { get; init; } = 256 * 1024;

    /// <summary>The most bytes asked of a provider at once. Default 16 MiB: the largest window of a stream.</summary>
    public int BytesAheadMax { get; init; } = 16 * 1024 * 1024;

    /// <summary>The fewest chunks asked of a provider at once. Default 2, so that it never waits for us between two.</summary>
    public int ChunksAheadMin { get; init; } = 2;

    /// <summary>The most chunks asked of a provider at once, which it may hold us to. Default 256.</summary>
    public int ChunksAheadMax { get; init; } = 256;

    /// <summary>Silence after which what a provider owes is asked of others too. Default 2 s: longer than any round trip.</summary>
    public TimeSpan LateAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Age of a request after which, with nothing else left to ask, another provider is asked as well. Default 1 s.</summary>
    public TimeSpan EndgameAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Silence after which a provider is given up, and a fetch without any progress. Default 20 s, as for any request.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a peer that served what is not the blob is not asked for any. Default 1 min: a round, about.</summary>
    public TimeSpan LiarPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The first pause before a lost provider is asked again; doubles up to <see cref="Patience"/>. Default 0.5 s.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(0.5);

    /// <summary>The most providers that one fetch is connected with. Default 40: haves cost each a few bytes a chunk.</summary>
    public int ProvidersPerBlob { get; init; } = 40;

    /// <summary>Blobs of one contribution, result or base that are fetched at the same time; the others of it wait. Default 8: they hide each other's round trips.</summary>
    public int BlobsAtOnce { get; init; } = 8;

    /// <summary>Questions of one peer that are open at once. Default 192: blobs of two dozen contributions, and three quarters of its streams.</summary>
    public int QuestionsPerPeer { get; init; } = 192;

    /// <summary>Chunks of one question that wait to be sent. Default 1024: four times what is asked for, as cancelled ones come late.</summary>
    public int RequestsPerQuestion { get; init; } = 1024;
}
