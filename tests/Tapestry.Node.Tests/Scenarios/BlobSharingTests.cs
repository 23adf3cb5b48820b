using System.IO.Pipelines;
using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>Between real hosts: what fetches and uploads of one peer have in common, and providers that are slow beyond patience.</summary>
public sealed class BlobSharingTests : IAsyncDisposable
{
    private const int ChunkBytes = 16 * 1024;

    private readonly CancellationTokenSource _late = new(TimeSpan.FromMinutes(2));
    private readonly List<IAsyncDisposable> _open = [];
    private readonly TemporaryFolder _folder = new();

    // Longer than any test: only a clock that is moved on makes somebody lose it.
    private readonly SwarmLimits _patient = new() { Patience = TimeSpan.FromHours(1) };

    public async ValueTask DisposeAsync()
    {
        foreach (IAsyncDisposable open in _open)
        {
            await open.DisposeAsync();
        }

        _folder.Dispose();
        _late.Dispose();
    }

    [Fact]
    public async Task What_an_upload_reads_from_stays_open_when_its_fetch_ends_and_the_next_fetch_goes_on()
    {
        byte[] data = Bytes(3 * ChunkBytes);
        BlobShape shape = ShapeOf(data, ChunkBytes);
        (SwarmPeer fetcher, HandProvider part) = (Peer(1), Hand(2, data, ChunkBytes));
        part.Chunk = (index, chunk) => index == 0 ? chunk : null;
        await ConnectAsync(fetcher, part.Host);
        using CancellationTokenSource cancelled = new();
        Task fetching = fetcher.Swarm.FetchAsync(shape, 1, [part.Id], cancelled.Token);

        // As an upload does it.
        SharedBlob shared = fetcher.Swarm.Share(shape.Root);
        while (shared.Source?.Has(0) != true)
        {
            await Task.Delay(5, _late.Token);
        }

        IChunkSource source = shared.Source;
        await cancelled.CancelAsync();
        await fetching.Awaiting(task => task).Should().ThrowAsync<OperationCanceledException>();
        part.Chunk = (_, chunk) => chunk;
        (await FetchAsync(fetcher, shape, part.Id)).IsHeld.Should().BeTrue();

        shared.Source.Should().BeNull("the fetch that it was of has ended");
        Pipe pipe = new(new PipeOptions(pauseWriterThreshold: 0));
        source.TryCopyTo(0, .., pipe.Writer).Should().BeTrue();
        await pipe.Writer.CompleteAsync();
        (await pipe.Reader.ReadAtLeastAsync(ChunkBytes)).Buffer.FirstSpan[..100].ToArray().Should().Equal(data[..100]);

        fetcher.Swarm.Release(shared);
        source.Invoking(closed => closed.TryCopyTo(0, .., new Pipe().Writer)).Should().Throw<ObjectDisposedException>("its last user has gone");
    }

    [Fact]
    public async Task A_damaged_chunk_is_not_sent_and_its_holder_is_no_liar()
    {
        BlobShape shape;
        await using (SwarmPeer before = new(1, Options(), _folder))
        {
            shape = before.Hold(Bytes(3 * ChunkBytes), ChunkBytes);
        }

        await using (FileStream file = File.OpenWrite(Path.Combine(_folder.Path, "data", shape.Root.ToString())))
        {
            file.Position = ChunkBytes;
            await file.WriteAsync(new byte[100]);
        }

        await using SwarmPeer holder = new(1, Options(), _folder);
        SwarmPeer fetcher = Peer(2);
        await ConnectAsync(fetcher, holder.Host);

        (await FetchAsync(fetcher, shape, holder.Id)).Should().Be(new BlobFetchEnd(false, null));
        (await fetcher.FaultsAsync(1, _late.Token)).Should().OnlyContain(found => found.Fault == BlobFault.Refused);
        holder.Blobs.Contains(shape.Root).Should().BeFalse();
    }

    [Fact]
    public async Task Whoever_lies_about_one_blob_is_dropped_from_the_fetches_of_all()
    {
        byte[] data = Bytes(3 * ChunkBytes);
        SwarmPeer fetcher = Peer(1, _patient);
        HandProvider liar = Hand(2, data, ChunkBytes);
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        liar.Opening = () =>
        {
            asked.TrySetResult();
            return [new BlobAnswer.Head(BlobExtent.Part, 5 * ChunkBytes, ChunkBytes, new byte[1]).ToArray()];
        };
        await ConnectAsync(fetcher, liar.Host);
        Task<BlobFetchEnd> waiting = FetchAsync(fetcher, ShapeOf(Bytes(5 * ChunkBytes), ChunkBytes), liar.Id);
        await asked.Task.WaitAsync(_late.Token);
        liar.Opening = null;
        liar.Chunk = (_, chunk) => [.. chunk[..^1], (byte)(chunk[^1] ^ 1)];

        BlobFetchEnd lied = await FetchAsync(fetcher, ShapeOf(data, ChunkBytes), liar.Id);
        BlobFetchEnd dropped = await waiting;
        lied.Should().Be(new BlobFetchEnd(false, liar.Id));
        dropped.Should().Be(new BlobFetchEnd(false, null), "nobody else was asked for it");
        MemberBlobs.FailureOf([dropped, lied]).Should().Be(lied, "the rules are told of the lie");
        fetcher.Faults.Should().Equal((liar.Id, BlobFault.WrongChunk));
    }

    [Fact]
    public async Task A_large_chunk_may_take_longer_than_patience_lasts_while_its_parts_come_in_time()
    {
        byte[] data = Bytes(1024 * 1024);
        ShiftedTime time = new();
        BlobShape shape = ShapeOf(data, data.Length);
        (SwarmPeer fetcher, HandProvider slow) = await SlowPairAsync(data, time, async (stream, frame, received) =>
        {
            await stream.Output.WriteAsync(PrefixOf(frame), _late.Token);
            int sent = 0;
            foreach (byte[] part in frame.Chunk(SwarmLimits.PartBytes))
            {
                time.Advance(0.8 * _patient.Patience);
                await stream.Output.WriteAsync(part, _late.Token);
                sent += part.Length;
                await received(sent);
            }
        });

        (await FetchAsync(fetcher, shape, slow.Id)).IsHeld.Should().BeTrue();
        fetcher.Read(shape).Should().Equal(data);
        fetcher.Faults.Should().BeEmpty();
    }

    [Fact]
    public async Task A_provider_that_trickles_less_than_a_part_while_patience_lasts_has_stalled()
    {
        byte[] data = Bytes(1024 * 1024);
        ShiftedTime time = new();
        (SwarmPeer fetcher, HandProvider slow) = await SlowPairAsync(data, time, async (stream, frame, _) =>
        {
            await stream.Output.WriteAsync(PrefixOf(frame), _late.Token);
            foreach (byte[] trickle in frame.Chunk(SwarmLimits.PartBytes / 4).Take(2))
            {
                await stream.Output.WriteAsync(trickle, _late.Token);
                await Task.Delay(20, _late.Token);
                time.Advance(0.8 * _patient.Patience);
            }
        });

        (await FetchAsync(fetcher, ShapeOf(data, data.Length), slow.Id)).IsHeld.Should().BeFalse();
        (await fetcher.FaultsAsync(1, _late.Token)).Should().Equal((slow.Id, BlobFault.Stalled));
    }

    private static byte[] Bytes(int count)
    {
        byte[] data = new byte[count];
        new Random(count).NextBytes(data);
        return data;
    }

    private static BlobShape ShapeOf(byte[] data, int chunkBytes) =>
        new(MerkleTree.Root([.. data.Chunk(chunkBytes).Select(chunk => MerkleTree.LeafHash(chunk))]), data.Length, chunkBytes);

    private static byte[] PrefixOf(byte[] frame)
    {
        byte[] prefix = new byte[Varint.MaximumLength];
        return prefix[..Varint.Write(prefix, (ulong)frame.Length)];
    }

    private static SwarmOptions Options() => new(0, 0, new SwarmLimits(), TimeProvider.System);

    private SwarmPeer Peer(int number, SwarmLimits? limits = null, TimeProvider? time = null)
    {
        SwarmPeer peer = new(number, new SwarmOptions(0, 0, limits ?? new SwarmLimits(), time ?? TimeProvider.System));
        _open.Add(peer);
        return peer;
    }

    private HandProvider Hand(int number, byte[] data, int chunkBytes)
    {
        HandProvider provider = new(number, data, chunkBytes);
        _open.Add(provider);
        return provider;
    }

    /// <summary>A fetcher, connected to a provider of one large chunk that sends it as the test says.</summary>
    /// <param name="data">The blob: one chunk.</param>
    /// <param name="time">The fetcher's.</param>
    /// <param name="send">Sends a frame on a stream; its last argument waits until the fetcher has received so many bytes.</param>
    private async Task<(SwarmPeer Fetcher, HandProvider Slow)> SlowPairAsync(
        byte[] data, TimeProvider time, Func<Libp2pStream, byte[], Func<int, Task>, Task> send)
    {
        SwarmPeer fetcher = Peer(1, _patient, time);
        HandProvider slow = Hand(2, data, data.Length);
        slow.Send = async (stream, frame) =>
        {
            await HashesHeldAsync(fetcher, ShapeOf(data, data.Length));
            await send(stream, frame, async bytes =>
            {
                while (fetcher.Traffic.ReceivedBytes < bytes)
                {
                    await Task.Delay(5, _late.Token);
                }
            });
        };
        await ConnectAsync(fetcher, slow.Host);
        return (fetcher, slow);
    }

    /// <summary>Waits until a fetch has the hashes of a blob of one page: from then on the chunk alone can end its provider's silence.</summary>
    private async Task HashesHeldAsync(SwarmPeer fetcher, BlobShape shape)
    {
        SharedBlob shared = fetcher.Swarm.Share(shape.Root);
        while (shared.Source is not IChunkSource source || source.Hashes(0).IsEmpty)
        {
            await Task.Delay(5, _late.Token);
        }

        fetcher.Swarm.Release(shared);
    }

    private async Task ConnectAsync(SwarmPeer peer, Libp2pHost other) => await peer.Host.DialAsync(other.ListenAddresses[0], _late.Token);

    private Task<BlobFetchEnd> FetchAsync(SwarmPeer fetcher, BlobShape shape, params PeerId[] providers) =>
        fetcher.Swarm.FetchAsync(shape, 1, providers, _late.Token);

    /// <summary>The system's clock and timers, moved on when a test says so.</summary>
    private sealed class ShiftedTime : TimeProvider
    {
        private long _shiftTicks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => System.GetElapsedTime(0).Ticks + Interlocked.Read(ref _shiftTicks);

        public void Advance(TimeSpan by) => Interlocked.Add(ref _shiftTicks, by.Ticks);
    }
}
