using System.Buffers;
using System.Collections.Concurrent;

namespace Tapestry.Libp2p;

/// <summary>Blocks of one length for the pipes of all streams.</summary>
/// <remarks>
/// The platform's shared pool keeps a few dozen arrays of a length; one window of a fast stream is hundreds, so it would
/// allocate and collect them again and again. This one keeps a window's worth, and leaves the rest to the collector.
/// </remarks>
internal sealed class BlockPool : MemoryPool<byte>
{
    internal const int BlockLength = 32 * 1024;

    // 16 MiB: the largest window of one stream.
    private const int KeptBlocks = 512;

    private readonly ConcurrentQueue<Block> _free = new();
    private int _freeCount;

    internal static new BlockPool Shared { get; } = new();

    public override int MaxBufferSize => BlockLength;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, BlockLength);
        if (!_free.TryDequeue(out Block? block))
        {
            return new Block(this);
        }

        Interlocked.Decrement(ref _freeCount);
        return block;
    }

    // The pool lives as long as the process.
    protected override void Dispose(bool disposing)
    {
    }

    private void Return(Block block)
    {
        if (Interlocked.Increment(ref _freeCount) <= KeptBlocks)
        {
            _free.Enqueue(block);
        }
        else
        {
            Interlocked.Decrement(ref _freeCount);
        }
    }

    private sealed class Block(BlockPool pool) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = GC.AllocateUninitializedArray<byte>(BlockLength);

        // A pipe disposes each owner once; the block is then another pipe's to have.
        public void Dispose() => pool.Return(this);
    }
}
