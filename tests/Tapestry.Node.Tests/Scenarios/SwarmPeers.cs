using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;
using Tapestry.Node.Daemon;
using Tapestry.Node.Network;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>One peer with the daemon's own swarm, on loopback.</summary>
internal sealed class SwarmPeer : IAsyncDisposable
{
    private readonly TemporaryFolder _folder;
    private readonly bool _ownsFolder;

    public SwarmPeer(int number, SwarmOptions options, TemporaryFolder? folder = null)
    {
        _ownsFolder = folder is null;
        _folder = folder ?? new TemporaryFolder();
        Host = NewHost(number);
        Blobs = BlobStore.Open(_folder.Path, BlobTrailer.ChunkBytesMin);
        Swarm = new BlobSwarm(Host, Blobs, options, Traffic);
        Swarm.FaultFound += (peer, fault) =>
        {
            lock (Faults)
            {
                Faults.Add((peer, fault));
            }
        };
        Swarm.Register();
        Host.Start();
    }

    public Libp2pHost Host { get; }

    public BlobStore Blobs { get; }

    public BlobSwarm Swarm { get; }

    public Traffic Traffic { get; } = new();

    public List<(PeerId Peer, BlobFault Fault)> Faults { get; } = [];

    public PeerId Id => Host.PeerId;

    public static Libp2pHost NewHost(int number)
    {
        byte[] seed = new byte[SigningKey.SeedLength];
        seed[0] = (byte)number;
        return new Libp2pHost(
            new Libp2pIdentity(SigningKey.FromSeed(seed)), new Libp2pHostOptions { ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")] });
    }

    /// <summary>Puts a blob into this peer's store.</summary>
    public BlobShape Hold(byte[] data, int chunkBytes)
    {
        using BlobWriter writer = Blobs.Create(1, chunkBytes);
        writer.Append(data);
        return new BlobShape(writer.Commit(), data.Length, chunkBytes);
    }

    public byte[] Read(BlobShape shape)
    {
        Blobs.TryOpen(shape.Root, out Blob? blob);
        using (blob)
        {
            byte[] data = new byte[shape.Length];
            return blob!.TryReadAll(data) ? data : [];
        }
    }

    /// <summary>The faults that were found, once there are so many.</summary>
    public async Task<(PeerId Peer, BlobFault Fault)[]> FaultsAsync(int least, CancellationToken late)
    {
        while (true)
        {
            lock (Faults)
            {
                if (Faults.Count >= least)
                {
                    return [.. Faults];
                }
            }

            await Task.Delay(5, late);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        Swarm.Dispose();
        Blobs.Dispose();
        if (_ownsFolder)
        {
            _folder.Dispose();
        }
    }
}

/// <summary>A peer that answers questions for one blob by hand, as wrongly as a test wants.</summary>
internal sealed class HandProvider : IAsyncDisposable
{
    private readonly byte[] _data;
    private readonly BlobShape _shape;
    private readonly Digest[] _hashes;
    private int _chunksSent;

    public HandProvider(int number, byte[] data, int chunkBytes)
    {
        _data = data;
        _hashes = [.. data.Chunk(chunkBytes).Select(chunk => MerkleTree.LeafHash(chunk))];
        _shape = new BlobShape(MerkleTree.Root(_hashes), data.Length, chunkBytes);
        Host = SwarmPeer.NewHost(number);
        Host.Handle(TapestryProtocols.Blob, (stream, _, ended) => AnswerAsync(stream, ended));
        Host.Start();
    }

    public Libp2pHost Host { get; }

    public PeerId Id => Host.PeerId;

    /// <summary>Chunks that were sent, right or wrong.</summary>
    public int ChunksSent => Volatile.Read(ref _chunksSent);

    /// <summary>Frames that it sends as soon as it is asked, in place of its head.</summary>
    public Func<IEnumerable<byte[]>>? Opening { get; set; }

    /// <summary>What it sends in place of a chunk; null for nothing.</summary>
    public Func<int, byte[], byte[]?> Chunk { get; set; } = (_, chunk) => chunk;

    /// <summary>What it sends in place of hashes.</summary>
    public Func<Digest[], Digest[]> Hashes { get; set; } = hashes => hashes;

    /// <summary>How a chunk's frame is sent.</summary>
    public Func<Libp2pStream, byte[], Task> Send { get; set; } = (stream, frame) => LengthPrefix.WriteAsync(stream.Output, frame, default).AsTask();

    /// <summary>Called before a chunk is sent.</summary>
    public Action<int, Libp2pStream> Before { get; set; } = (_, _) => { };

    public static byte[] ChunkFrame(int index, byte[] chunk)
    {
        byte[] number = new byte[sizeof(int)];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(number, index);
        return [BlobAnswer.ChunkKind, .. number, .. chunk];
    }

    public ValueTask DisposeAsync() => Host.DisposeAsync();

    private async Task AnswerAsync(Libp2pStream stream, CancellationToken ended)
    {
        await LengthPrefix.ReadAsync(stream.Input, BlobRequest.BytesMax, ended);
        BlobAnswer.Head head = new(BlobExtent.Whole, _shape.Length, _shape.ChunkBytes, default);
        foreach (byte[] frame in Opening?.Invoke() ?? [head.ToArray()])
        {
            await LengthPrefix.WriteAsync(stream.Output, frame, ended);
        }

        while (await LengthPrefix.ReadAsync(stream.Input, BlobRequest.BytesMax, ended) is byte[] bytes)
        {
            BlobRequest.TryRead(bytes, out BlobRequest request);
            if (request.Kind == BlobRequestKind.Hashes)
            {
                Digest[] page = request.First == HashPages.Top ? HashPages.Roots(_hashes) : [.. _hashes.Skip(request.First * 1024).Take(1024)];
                await LengthPrefix.WriteAsync(stream.Output, new BlobAnswer.Hashes(request.First, Hashes(page)).ToArray(), ended);
            }

            for (int index = request.First; request.Kind == BlobRequestKind.Chunks && index < request.First + request.Count; index++)
            {
                Before(index, stream);
                byte[] chunk = _data[(index * _shape.ChunkBytes)..Math.Min(_data.Length, (index + 1) * _shape.ChunkBytes)];
                if (Chunk(index, chunk) is byte[] sent)
                {
                    await Send(stream, ChunkFrame(index, sent));
                    Interlocked.Increment(ref _chunksSent);
                }
            }
        }
    }
}
