using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Network;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>Blobs between real hosts: several providers, fetchers that feed each other, and every way to be wrong.</summary>
public sealed class BlobSwarmTests : IAsyncDisposable
{
    private const int ChunkBytes = 16 * 1024;

    private readonly CancellationTokenSource _late = new(TimeSpan.FromMinutes(2));
    private readonly List<IAsyncDisposable> _open = [];
    private readonly SwarmLimits _limits = new() { Patience = TimeSpan.FromSeconds(10), LateAfter = TimeSpan.FromSeconds(0.3), LiarPause = TimeSpan.FromMinutes(5) };

    // Where bytes are counted: whoever is taken for late may be asked for the same chunk twice.
    private SwarmLimits Unhurried => _limits with { LateAfter = TimeSpan.FromSeconds(10) };

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable open in _open)
        {
            await open.DisposeAsync();
        }

        _late.Dispose();
    }

    [Theory]
    [InlineData(1, 1024)]
    [InlineData(ChunkBytes, ChunkBytes)]
    [InlineData((5 * ChunkBytes) + 17, ChunkBytes)]
    [InlineData(3 * 1024 * 1024, 1024 * 1024)]
    [InlineData(2500 * 1024, 1024)]
    public async Task A_blob_of_any_shape_comes_across(int length, int chunkBytes)
    {
        (SwarmPeer holder, SwarmPeer fetcher) = (Peer(1), Peer(2, Unhurried));
        byte[] data = Bytes(length);
        BlobShape shape = holder.Hold(data, chunkBytes);
        await Connect(fetcher, holder.Host);

        (await FetchAsync(fetcher, shape, holder.Id)).Should().Be(new BlobFetchEnd(true, null));
        fetcher.Read(shape).Should().Equal(data);
        fetcher.Faults.Should().BeEmpty();
        fetcher.Traffic.ReceivedBytes.Should().BeLessThan(length + (length / chunkBytes * 64) + 70_000, "every chunk came once");
    }

    [Fact]
    public async Task Fetchers_of_one_blob_feed_each_other_and_a_source_with_a_limit_sends_little_more_than_one_copy()
    {
        // So slow that the fetchers keep up with it on any machine: 4 s a copy.
        SwarmPeer source = Peer(1, uploadBytesPerSecond: 1_000_000);
        SwarmPeer[] fetchers = [.. Enumerable.Range(2, 4).Select(number => Peer(number))];
        byte[] data = Bytes(4_000_000);
        BlobShape shape = source.Hold(data, ChunkBytes);
        foreach (SwarmPeer fetcher in fetchers)
        {
            await Connect(fetcher, [source.Host, .. fetchers.Where(other => other.Id.CompareTo(fetcher.Id) < 0).Select(other => other.Host)]);
        }

        BlobFetchEnd[] ends = await Task.WhenAll(fetchers.Select(fetcher => FetchAsync(
            fetcher, shape, [source.Id, .. fetchers.Where(other => other != fetcher).Select(other => other.Id)])));

        ends.Should().OnlyContain(end => end.IsHeld);
        fetchers.Should().OnlyContain(fetcher => fetcher.Read(shape).SequenceEqual(data));
        (source.Traffic.SentBlobBytes / (double)data.Length).Should().BeLessThan(1.6);
    }

    [Fact]
    public async Task Whoever_waits_for_a_blob_gets_it_when_it_is_written()
    {
        (SwarmPeer holder, SwarmPeer other, SwarmPeer fetcher) = (Peer(1), Peer(2), Peer(3));
        byte[] data = Bytes(3 * ChunkBytes);
        BlobShape shape = new(RootOf(data, ChunkBytes), data.Length, ChunkBytes);

        // A provider that is about to send keeps the question open.
        HandProvider slow = Hand(4, data, ChunkBytes);
        slow.Chunk = (_, _) => null;
        await Connect(fetcher, holder.Host, other.Host, slow.Host);
        Task<BlobFetchEnd> fetching = FetchAsync(fetcher, shape, holder.Id, other.Id, slow.Id);
        await Task.Delay(100, _late.Token);
        holder.Hold(data, ChunkBytes);

        (await fetching).IsHeld.Should().BeTrue();
        fetcher.Faults.Should().BeEmpty();
    }

    [Fact]
    public async Task What_nobody_has_is_unavailable_at_once()
    {
        (SwarmPeer holder, SwarmPeer fetcher) = (Peer(1), Peer(2));
        await Connect(fetcher, holder.Host);
        BlobShape shape = new(Digest.Of([1]), ChunkBytes, ChunkBytes);
        (await FetchAsync(fetcher, shape, holder.Id, SwarmPeer.NewHost(9).PeerId)).Should().Be(new BlobFetchEnd(false, null));
    }

    [Fact]
    public async Task Several_calls_for_one_blob_share_one_fetch()
    {
        (SwarmPeer holder, SwarmPeer fetcher) = (Peer(1), Peer(2, Unhurried));
        byte[] data = Bytes(40 * ChunkBytes);
        BlobShape shape = holder.Hold(data, ChunkBytes);
        await Connect(fetcher, holder.Host);
        BlobFetchEnd[] ends = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => FetchAsync(fetcher, shape, holder.Id)));
        ends.Should().OnlyContain(end => end.IsHeld);
        holder.Traffic.SentBlobBytes.Should().Be(data.Length);
    }

    [Fact]
    public async Task A_wrong_chunk_costs_one_chunk_and_its_server_is_dropped_and_not_asked_again()
    {
        byte[] data = Bytes(60 * ChunkBytes);

        // Not so fast that it has sent everything before the liar sends anything.
        (SwarmPeer holder, SwarmPeer fetcher) = (Peer(1, uploadBytesPerSecond: 1_000_000), Peer(2));
        BlobShape shape = holder.Hold(data, ChunkBytes);
        HandProvider liar = Hand(3, data, ChunkBytes);
        liar.Chunk = (_, chunk) => [.. chunk[..^1], (byte)(chunk[^1] ^ 1)];
        await Connect(fetcher, holder.Host, liar.Host);

        (await FetchAsync(fetcher, shape, liar.Id, holder.Id)).IsHeld.Should().BeTrue();
        fetcher.Faults.Should().Equal((liar.Id, BlobFault.WrongChunk));
        fetcher.Read(shape).Should().Equal(data);

        // Alone, it is to blame; and for the next blob it is not even asked.
        BlobShape next = holder.Hold([.. data, 1], ChunkBytes);
        int before = liar.ChunksSent;
        (await FetchAsync(fetcher, next, liar.Id)).Should().Be(new BlobFetchEnd(false, null));
        liar.ChunksSent.Should().Be(before);
    }

    [Fact]
    public Task Hashes_of_another_blob_are_their_servers_fault() => IsBlamedAsync(
        liar => liar.Hashes = hashes => [.. hashes.Reverse()], BlobFault.WrongHashes);

    [Fact]
    public Task A_head_of_another_length_is_its_senders_fault() => IsBlamedAsync(
        liar => liar.Opening = () => [new BlobAnswer.Head(BlobExtent.Whole, 7 * ChunkBytes, ChunkBytes, default).ToArray()], BlobFault.WrongLength);

    [Fact]
    public Task A_chunk_of_another_length_is_a_wrong_chunk() => IsBlamedAsync(liar => liar.Chunk = (_, chunk) => chunk[1..], BlobFault.WrongChunk);

    [Fact]
    public Task A_chunk_that_nobody_asked_for_is_unsolicited() => IsFoundAsync(
        liar => liar.Opening = () => [HandProvider.ChunkFrame(0, new byte[ChunkBytes])], BlobFault.Unsolicited);

    [Fact]
    public Task Hashes_that_nobody_asked_for_are_unsolicited() => IsFoundAsync(
        liar => liar.Opening = () => [new BlobAnswer.Hashes(0, [Digest.Zero]).ToArray()], BlobFault.Unsolicited);

    [Fact]
    public async Task Frames_that_are_none_are_malformed()
    {
        byte[][] openings =
        [
            [99, 1],
            [],
            new BlobAnswer.Have([0]).ToArray(),
            new BlobAnswer.Head(BlobExtent.Part, 10 * ChunkBytes, ChunkBytes, new byte[1]).ToArray(),
            [BlobAnswer.ChunkKind, 0, 0],
            new byte[200_000],
        ];
        foreach (byte[] opening in openings)
        {
            await IsFoundAsync(liar => liar.Opening = () => [opening], BlobFault.Malformed);
        }
    }

    [Fact]
    public async Task A_head_that_takes_something_back_is_malformed()
    {
        BlobAnswer.Head whole = new(BlobExtent.Whole, 10 * ChunkBytes, ChunkBytes, default);
        await IsFoundAsync(liar => liar.Opening = () => [whole.ToArray(), whole.ToArray()], BlobFault.Malformed);
    }

    [Fact]
    public Task A_holder_may_refuse() => IsFoundAsync(liar => liar.Before = (_, stream) => stream.Reset(), BlobFault.Refused);

    [Fact]
    public async Task What_a_silent_provider_owes_comes_from_another_and_its_connection_may_break()
    {
        byte[] data = Bytes(30 * ChunkBytes);
        (SwarmPeer holder, SwarmPeer fetcher) = (Peer(1), Peer(2));
        BlobShape shape = holder.Hold(data, ChunkBytes);
        HandProvider silent = Hand(3, data, ChunkBytes);
        HandProvider leaves = Hand(4, data, ChunkBytes);
        silent.Chunk = (_, _) => null;
        leaves.Before = (_, stream) => leaves.Host.FindConnection(stream.Remote)!.CloseAsync().AsTask();
        await Connect(fetcher, holder.Host, silent.Host, leaves.Host);

        (await FetchAsync(fetcher, shape, silent.Id, leaves.Id, holder.Id)).IsHeld.Should().BeTrue();
        fetcher.Read(shape).Should().Equal(data);
        fetcher.Faults.Select(fault => fault.Peer).Should().NotContain(silent.Id, "it was late, and nobody lost patience");
    }

    [Fact]
    public async Task A_provider_that_sends_nothing_for_too_long_has_stalled()
    {
        byte[] data = Bytes(3 * ChunkBytes);

        // Longer than its head can be in coming: a fetch that is told of nothing ends without anybody's fault.
        SwarmPeer fetcher = Peer(1, limits: _limits with { Patience = TimeSpan.FromSeconds(3) });
        HandProvider silent = Hand(2, data, ChunkBytes);
        silent.Chunk = (_, _) => null;
        await Connect(fetcher, silent.Host);

        (await FetchAsync(fetcher, new BlobShape(RootOf(data, ChunkBytes), data.Length, ChunkBytes), silent.Id)).IsHeld.Should().BeFalse();
        fetcher.Faults.Should().Contain((silent.Id, BlobFault.Stalled));
    }

    [Fact]
    public async Task A_provider_that_takes_its_time_holds_up_only_what_is_wanted_of_it()
    {
        byte[] slowly = Bytes(3 * ChunkBytes);
        (SwarmPeer holder, SwarmPeer fetcher) = (Peer(1), Peer(2, limits: _limits with { BlobsAtOnce = 2 }));
        HandProvider silent = Hand(3, slowly, ChunkBytes);
        silent.Chunk = (_, _) => null;
        await Connect(fetcher, holder.Host, silent.Host);
        BlobShape[] held = [.. Enumerable.Range(1, 5).Select(index => holder.Hold(Bytes(index * ChunkBytes), ChunkBytes))];
        BlobShape[] wanted = [.. Enumerable.Range(0, 5).Select(index => new BlobShape(RootOf([.. slowly, (byte)index], ChunkBytes), slowly.Length, ChunkBytes))];
        wanted[0] = new BlobShape(RootOf(slowly, ChunkBytes), slowly.Length, ChunkBytes);
        wanted[1] = wanted[0];
        using CancellationTokenSource enough = CancellationTokenSource.CreateLinkedTokenSource(_late.Token);
        Task waiting = fetcher.Swarm.FetchAllAsync(wanted, 1, [silent.Id], enough.Token);

        BlobFetchEnd[] ends = await fetcher.Swarm.FetchAllAsync(held, 1, [holder.Id], _late.Token);

        ends.Should().OnlyContain(end => end.IsHeld);
        waiting.IsCompleted.Should().BeFalse();
        await enough.CancelAsync();
        await waiting.Awaiting(task => task).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public Task Telling_of_the_same_chunks_again_and_again_is_malformed() => IsFoundAsync(
        liar => liar.Opening = () =>
        [
            new BlobAnswer.Head(BlobExtent.Part, 10 * ChunkBytes, ChunkBytes, new byte[2]).ToArray(),
            .. Enumerable.Repeat(new BlobAnswer.Have([.. Enumerable.Range(0, 10)]).ToArray(), 3),
        ], BlobFault.Malformed);

    [Fact]
    public async Task A_cancelled_fetch_ends_at_once_and_a_restart_fetches_only_what_is_missing()
    {
        byte[] data = Bytes(100 * ChunkBytes);
        using TemporaryFolder folder = new();
        HandProvider slow = Hand(1, data, ChunkBytes);
        slow.Chunk = (index, chunk) => slow.ChunksSent < 40 ? chunk : null;
        BlobShape shape = new(RootOf(data, ChunkBytes), data.Length, ChunkBytes);
        SwarmOptions options = Options() with { Limits = Unhurried };
        await using (SwarmPeer first = new(2, options, folder))
        {
            await Connect(first, slow.Host);
            using CancellationTokenSource cancelled = new();
            Task fetching = first.Swarm.FetchAsync(shape, 1, [slow.Id], cancelled.Token);
            while (slow.ChunksSent < 40 || first.Traffic.ReceivedBytes < 40 * ChunkBytes)
            {
                await Task.Delay(5, _late.Token);
            }

            await cancelled.CancelAsync();
            await fetching.Awaiting(task => task).Should().ThrowAsync<OperationCanceledException>();
        }

        SwarmPeer holder = Peer(3);
        holder.Hold(data, ChunkBytes);
        await using SwarmPeer second = new(2, options, folder);
        await Connect(second, holder.Host);
        (await FetchAsync(second, shape, holder.Id)).IsHeld.Should().BeTrue();
        second.Read(shape).Should().Equal(data);
        holder.Traffic.SentBlobBytes.Should().Be(60 * ChunkBytes);
    }

    [Fact]
    public async Task Too_many_requests_and_requests_that_mean_nothing_end_the_stream()
    {
        (SwarmPeer holder, SwarmPeer other) = (Peer(1, limits: _limits with { RequestsPerQuestion = 100 }), Peer(2));
        BlobShape shape = holder.Hold(Bytes(1000 * 1024), 1024);
        await Connect(other, holder.Host);
        BlobRequest ask = BlobRequest.Ask(shape.Root);
        (BlobRequest[] Requests, BlobFault Fault)[] cases =
        [
            ([ask, new BlobRequest(BlobRequestKind.Chunks, default, 0, 101)], BlobFault.TooManyRequests),
            ([ask, new BlobRequest(BlobRequestKind.Chunks, default, 1000, 1)], BlobFault.Malformed),
            ([ask, new BlobRequest(BlobRequestKind.Hashes, default, 1, 1)], BlobFault.Malformed),
            ([ask, ask], BlobFault.Malformed),
            ([ask, new BlobRequest(BlobRequestKind.Hashes, default, 0, 1), new BlobRequest(BlobRequestKind.Hashes, default, 0, 1)], BlobFault.Malformed),
            ([new BlobRequest(BlobRequestKind.Hashes, default, 0, 1)], BlobFault.Malformed),
        ];
        foreach ((BlobRequest[] requests, BlobFault fault) in cases)
        {
            holder.Faults.Clear();
            await using Libp2pStream stream = await other.Host.OpenStreamAsync(holder.Id, TapestryProtocols.Blob, _late.Token);
            foreach (BlobRequest request in requests)
            {
                byte[] bytes = new byte[BlobRequest.BytesMax];
                LengthPrefix.Write(stream.Output, bytes.AsSpan(0, request.Write(bytes)));
            }

            await stream.Output.FlushAsync(_late.Token);
            (await holder.FaultsAsync(1, _late.Token)).Should().Equal((other.Id, fault));
        }
    }

    [Fact]
    public async Task A_peer_with_too_many_questions_is_answered_no_more()
    {
        (SwarmPeer holder, SwarmPeer other) = (Peer(1, limits: _limits with { QuestionsPerPeer = 2 }), Peer(2));
        await Connect(other, holder.Host);
        List<Libp2pStream> streams = [];
        for (int question = 0; question < 2; question++)
        {
            streams.Add(await other.Host.OpenStreamAsync(holder.Id, TapestryProtocols.Blob, _late.Token));
        }

        // The reset may overtake the agreement on the protocol.
        Task third = other.Host.OpenStreamAsync(holder.Id, TapestryProtocols.Blob, _late.Token);
        await Task.WhenAny(third);
        (await holder.FaultsAsync(1, _late.Token)).Should().Equal((other.Id, BlobFault.TooManyRequests));
        streams.ForEach(stream => stream.Reset());
    }

    [Fact]
    public async Task An_upload_limit_is_kept_and_shared_fairly_however_many_streams_a_peer_opens()
    {
        SwarmPeer holder = Peer(1, uploadBytesPerSecond: 1_000_000);
        (SwarmPeer greedy, SwarmPeer modest) = (Peer(2), Peer(3));
        BlobShape[] many = [.. Enumerable.Range(0, 8).Select(index => holder.Hold(Bytes(1_000_000 + index), ChunkBytes))];
        BlobShape one = holder.Hold(Bytes(500_000), ChunkBytes);
        await Connect(greedy, holder.Host);
        await Connect(modest, holder.Host);
        using CancellationTokenSource enough = new();
        long start = TimeProvider.System.GetTimestamp();
        Task[] greed = [.. many.Select(shape => greedy.Swarm.FetchAsync(shape, 1, [holder.Id], enough.Token))];
        Task<BlobFetchEnd> fetching = FetchAsync(modest, one, holder.Id);

        // Until then there was nobody to share with.
        while (modest.Traffic.ReceivedBlobBytes == 0)
        {
            await Task.Delay(5, _late.Token);
        }

        long before = holder.Traffic.SentBlobBytes;
        await fetching;

        // In this order: what is sent between the two does not count.
        long sent = holder.Traffic.SentBlobBytes;
        TimeSpan elapsed = TimeProvider.System.GetElapsedTime(start);
        await enough.CancelAsync();
        await Task.WhenAll(greed).Awaiting(all => all).Should().ThrowAsync<OperationCanceledException>();
        sent.Should().BeLessThan((long)(1_000_000 * (elapsed.TotalSeconds + 0.2)) + (4 * ChunkBytes), "the limit holds");
        (sent - before).Should().BeLessThan(2_250_000, "about half of it was for the modest one, and not a ninth");
    }

    private static byte[] Bytes(int count)
    {
        byte[] data = new byte[count];
        new Random(count).NextBytes(data);
        return data;
    }

    private static Digest RootOf(byte[] data, int chunkBytes) => MerkleTree.Root([.. data.Chunk(chunkBytes).Select(chunk => MerkleTree.LeafHash(chunk))]);

    private SwarmOptions Options() => new(0, 0, _limits, TimeProvider.System);

    private SwarmPeer Peer(int number, SwarmLimits? limits = null, long uploadBytesPerSecond = 0)
    {
        SwarmPeer peer = new(number, Options() with { Limits = limits ?? _limits, UploadBytesPerSecond = uploadBytesPerSecond });
        _open.Add(peer);
        return peer;
    }

    private HandProvider Hand(int number, byte[] data, int chunkBytes)
    {
        HandProvider provider = new(number, data, chunkBytes);
        _open.Add(provider);
        return provider;
    }

    private async Task Connect(SwarmPeer peer, params Libp2pHost[] others)
    {
        foreach (Libp2pHost other in others)
        {
            await peer.Host.DialAsync(other.ListenAddresses[0], _late.Token);
        }
    }

    private Task<BlobFetchEnd> FetchAsync(SwarmPeer fetcher, BlobShape shape, params PeerId[] providers) =>
        fetcher.Swarm.FetchAsync(shape, 1, providers, _late.Token);

    /// <summary>A provider that is wrong, alone: it is found, the fetch fails, and it is to blame.</summary>
    private Task IsBlamedAsync(Action<HandProvider> spoil, BlobFault fault) => IsFoundAsync(spoil, fault, isBlamed: true);

    private async Task IsFoundAsync(Action<HandProvider> spoil, BlobFault fault, bool isBlamed = false)
    {
        byte[] data = Bytes(10 * ChunkBytes);
        await using SwarmPeer fetcher = new(101, Options());
        await using HandProvider liar = new(102, data, ChunkBytes);
        spoil(liar);
        await Connect(fetcher, liar.Host);

        BlobFetchEnd end = await FetchAsync(fetcher, new BlobShape(RootOf(data, ChunkBytes), data.Length, ChunkBytes), liar.Id);

        end.Should().Be(new BlobFetchEnd(false, isBlamed ? liar.Id : null));
        (await fetcher.FaultsAsync(1, _late.Token)).Should().Equal((liar.Id, fault));
    }
}
