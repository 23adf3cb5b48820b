using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Tapestry.Libp2p.Yamux;

/// <summary>What the application reads of a stream; tells the window how much it has taken.</summary>
internal sealed class YamuxInput(YamuxStream stream, PipeReader inner) : PipeReader
{
    private ReadOnlySequence<byte> _read;
    private bool _completed;

    /// <inheritdoc/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        stream.Announce();
        ReadResult result = await inner.ReadAsync(cancellationToken);
        return Remember(result);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        stream.Announce();
        if (!inner.TryRead(out result))
        {
            return false;
        }

        result = Remember(result);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        long taken = _read.IsEmpty ? 0 : _read.Slice(0, consumed).Length;
        _read = default;
        inner.AdvanceTo(consumed, examined);
        if (taken > 0)
        {
            stream.Taken(taken);
        }
    }

    /// <inheritdoc/>
    public override void CancelPendingRead() => inner.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        if (_completed)
        {
            return;
        }

        _completed = true;
        _read = default;
        inner.Complete(exception);
        stream.Abandon();
    }

    private ReadResult Remember(in ReadResult result)
    {
        if (stream.ResetByUs is Libp2pException reset)
        {
            inner.AdvanceTo(result.Buffer.Start);
            throw reset;
        }

        _read = result.Buffer;
        return result;
    }
}
