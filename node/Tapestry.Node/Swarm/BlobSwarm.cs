using System.Collections.Concurrent;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Daemon;
using Tapestry.Node.Network;
using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>Moves blobs: fetches those of others from several at once, and sends what is here, whole or not, to whoever asks.</summary>
/// <remarks>
/// specs/50-network.md, section 11.3. A fetch serves what it has verified from its first chunk on, so those who want the same
/// blob at the same time feed each other. For use from any thread.
/// </remarks>
internal sealed class BlobSwarm : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<Digest, SharedBlob> _shared = [];
    private readonly Dictionary<Digest, BlobFetch> _fetches = [];
    private readonly Dictionary<PeerId, int> _questions = [];
    private readonly ConcurrentDictionary<PeerId, TimeSpan> _liarsUntil = new();
    private readonly UploadTurns _turns;
    private readonly long _start;

    /// <summary>A swarm that does nothing yet.</summary>
    /// <param name="host">The libp2p host.</param>
    /// <param name="blobs">Where blobs are kept.</param>
    /// <param name="options">Limits and rates.</param>
    /// <param name="traffic">Where bytes are counted.</param>
    public BlobSwarm(Libp2pHost host, BlobStore blobs, SwarmOptions options, Traffic traffic)
    {
        Host = host;
        Blobs = blobs;
        Options = options;
        Traffic = traffic;
        _start = options.Time.GetTimestamp();
        Downloads = new DownloadTurns(new TokenBucket(options.DownloadBytesPerSecond));
        _turns = new UploadTurns(new TokenBucket(options.UploadBytesPerSecond), options.Time);
        blobs.Committed += Announce;
    }

    /// <summary>A peer was wrong or of no use. May come on any thread; must not block or throw.</summary>
    public event Action<PeerId, BlobFault>? FaultFound;

    internal Libp2pHost Host { get; }

    internal BlobStore Blobs { get; }

    internal SwarmOptions Options { get; }

    internal Traffic Traffic { get; }

    internal DownloadTurns Downloads { get; }

    internal TimeSpan Now => Options.Time.GetElapsedTime(_start);

    /// <summary>Starts to answer on the host.</summary>
    public void Register() => Host.Handle(TapestryProtocols.Blob, (stream, _, ended) => ServeAsync(stream, ended));

    /// <summary>Makes sure that a blob is held. Several calls for one blob share one fetch.</summary>
    /// <param name="shape">The blob.</param>
    /// <param name="round">The round that names it.</param>
    /// <param name="providers">Who may hold it, or may want it too; the likeliest first.</param>
    /// <param name="cancelled">Ends this call's interest; what was stored is kept for a later one.</param>
    /// <exception cref="Cli.CliException">The disk is full or fails.</exception>
    public async Task<BlobFetchEnd> FetchAsync(BlobShape shape, long round, IReadOnlyCollection<PeerId> providers, CancellationToken cancelled)
    {
        while (true)
        {
            if (Blobs.Keep(shape.Root, round))
            {
                return new BlobFetchEnd(true, null);
            }

            BlobFetch fetch = Join(shape, round, providers);
            try
            {
                BlobFetchEnd end = await fetch.Completion.WaitAsync(cancelled);
                if (!end.IsHeld && fetch.Shape == shape && !fetch.IsGivenUp)
                {
                    return end;
                }
            }
            finally
            {
                Leave(fetch);
            }
        }
    }

    /// <summary>Makes sure that several blobs are held: so many at once, and others as these end.</summary>
    /// <remarks>Every call has its own number, so that a provider that takes its time holds up those who want something of it, and nobody else.</remarks>
    /// <returns>How each ended, in their order.</returns>
    /// <exception cref="Cli.CliException">The disk is full or fails.</exception>
    public async Task<BlobFetchEnd[]> FetchAllAsync(
        IEnumerable<BlobShape> shapes, long round, IReadOnlyCollection<PeerId> providers, CancellationToken cancelled)
    {
        using SemaphoreSlim room = new(Options.Limits.BlobsAtOnce);
        return await Task.WhenAll(shapes.Select(FetchOneAsync));

        async Task<BlobFetchEnd> FetchOneAsync(BlobShape shape)
        {
            await room.WaitAsync(cancelled);
            try
            {
                return await FetchAsync(shape, round, providers, cancelled);
            }
            finally
            {
                room.Release();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Blobs.Committed -= Announce;

    /// <summary>What this process has of a blob; <see cref="Release"/> must follow.</summary>
    internal SharedBlob Share(Digest root)
    {
        lock (_gate)
        {
            if (!_shared.TryGetValue(root, out SharedBlob? shared) || shared.IsLost)
            {
                _shared[root] = shared = new SharedBlob(root);
            }

            shared.Users++;
            return shared;
        }
    }

    /// <summary>Ends what <see cref="Share"/> began; the last to do so closes the blob.</summary>
    internal void Release(SharedBlob shared)
    {
        lock (_gate)
        {
            shared.Users--;
            if (shared.Users > 0)
            {
                return;
            }

            if (_shared.GetValueOrDefault(shared.Root) == shared)
            {
                _shared.Remove(shared.Root);
            }
        }

        shared.Close();
    }

    internal bool IsLiar(PeerId peer) => _liarsUntil.TryGetValue(peer, out TimeSpan until) && Now < until;

    /// <summary>Counts a fault; who makes no sense is not asked for a while, and who lied is dropped from every fetch.</summary>
    internal void Report(PeerId peer, BlobFault fault)
    {
        if (fault is >= BlobFault.WrongLength and <= BlobFault.Malformed)
        {
            _liarsUntil[peer] = Now + Options.Limits.LiarPause;
        }

        if (fault.IsLie())
        {
            BlobFetch[] fetches;
            lock (_gate)
            {
                fetches = [.. _fetches.Values];
            }

            Array.ForEach(fetches, fetch => fetch.Drop(peer));
        }

        FaultFound?.Invoke(peer, fault);
    }

    private BlobFetch Join(BlobShape shape, long round, IReadOnlyCollection<PeerId> providers)
    {
        lock (_gate)
        {
            if (!_fetches.TryGetValue(shape.Root, out BlobFetch? fetch))
            {
                _fetches.Add(shape.Root, fetch = new BlobFetch(this, shape, round));
                fetch.Add(providers);
                _ = EndAsync(fetch, Task.Run(fetch.RunAsync));
            }
            else
            {
                fetch.Add(providers);
            }

            fetch.Callers++;
            return fetch;
        }
    }

    private void Leave(BlobFetch fetch)
    {
        bool isLast;
        lock (_gate)
        {
            fetch.Callers--;
            isLast = fetch.Callers == 0;
            fetch.IsGivenUp |= isLast;
        }

        if (isLast)
        {
            fetch.Cancel();
        }
    }

    private async Task EndAsync(BlobFetch fetch, Task running)
    {
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _fetches.Remove(fetch.Shape.Root);
        }

        // Only now: whoever is told may begin the next fetch of the same blob at once.
        fetch.Complete(running);
    }

    private async Task ServeAsync(Libp2pStream stream, CancellationToken ended)
    {
        BlobFault fault = await AnswerAsync(stream, ended);
        if (fault != BlobFault.None)
        {
            stream.Reset();
        }

        if (fault is not (BlobFault.None or BlobFault.Refused))
        {
            FaultFound?.Invoke(stream.Remote, fault);
        }
    }

    private async Task<BlobFault> AnswerAsync(Libp2pStream stream, CancellationToken ended)
    {
        try
        {
            if (!TryCountQuestion(stream.Remote))
            {
                return BlobFault.TooManyRequests;
            }

            byte[]? question = await LengthPrefix.ReadAsync(stream.Input, BlobRequest.BytesMax, ended).AsTask().WaitAsync(Options.Limits.Patience, Options.Time, ended);
            if (question is null || !BlobRequest.TryRead(question, out BlobRequest request) || request.Kind != BlobRequestKind.Ask)
            {
                return BlobFault.Malformed;
            }

            return await UploadAsync(stream, request.Root, ended);
        }
        catch (TimeoutException)
        {
            return BlobFault.Stalled;
        }
        finally
        {
            Uncount(stream.Remote);
        }
    }

    private async Task<BlobFault> UploadAsync(Libp2pStream stream, Digest root, CancellationToken ended)
    {
        SharedBlob shared = Share(root);
        UploadSession upload = new(stream, shared, _turns, Options.Limits, Traffic);
        try
        {
            // First told of what comes, then what is there: so nothing is missed between.
            shared.Attach(upload);
            Open(shared);
            return await upload.RunAsync(ended);
        }
        finally
        {
            shared.Detach(upload);
            Release(shared);
        }
    }

    /// <summary>A blob that was written here may be waited for.</summary>
    private void Announce(Digest root)
    {
        SharedBlob? shared;
        lock (_gate)
        {
            if (!_shared.TryGetValue(root, out shared))
            {
                return;
            }

            shared.Users++;
        }

        Open(shared);
        Release(shared);
    }

    private void Open(SharedBlob shared)
    {
        // A fetch says itself what becomes of it.
        if (shared.Extent == BlobExtent.Nothing && Blobs.TryOpen(shared.Root, out Blob? blob) && !shared.TryBecome(blob, BlobExtent.Whole))
        {
            blob.Dispose();
        }
    }

    private bool TryCountQuestion(PeerId peer)
    {
        lock (_gate)
        {
            int count = _questions.GetValueOrDefault(peer);
            _questions[peer] = count + 1;
            return count < Options.Limits.QuestionsPerPeer;
        }
    }

    private void Uncount(PeerId peer)
    {
        lock (_gate)
        {
            if (--_questions[peer] == 0)
            {
                _questions.Remove(peer);
            }
        }
    }
}

/// <summary>How a fetch ended.</summary>
/// <param name="IsHeld">Whether the blob is here now.</param>
/// <param name="Liar">The last peer that served what is not the blob; null for none.</param>
internal sealed record BlobFetchEnd(bool IsHeld, PeerId? Liar);
