using System.IO.Pipelines;

namespace Tapestry.Libp2p.Yamux;

/// <summary>The task that writes to the channel: control frames first, then one frame of each stream in turn.</summary>
public sealed partial class YamuxConnection
{
    /// <summary>How much is written before a flush: several Noise messages, so that they share one send.</summary>
    private const int BatchBytesMax = 4 * (YamuxLimits.DataBytesMax + YamuxHeader.Bytes);

    private readonly List<YamuxStream> _finishing = [];
    private ThreadShare _writerShare = new(TimeProvider.System);

    private async Task WriteChannelAsync()
    {
        PipeWriter output = _channel.Output;
        Exception? lostBy = null;
        try
        {
            while (!_isEnding)
            {
                await WriteOnceAsync(output);
            }

            SayGoodbye(output);
            await output.FlushAsync(_dropped.Token);
        }
        catch (Exception lost) when (lost is IOException or OperationCanceledException or InvalidOperationException)
        {
            // The remote has gone or reads no more: nothing is left to be said to it.
            lostBy = lost;
            End(Broken, Libp2pFault.ConnectionLost);
        }
        finally
        {
            End(YamuxFault.InternalError, Libp2pFault.ConnectionLost);
            AbortFinishing(_reason!);
        }

        await output.CompleteAsync(lostBy);
    }

    /// <summary>Writes and flushes what waits, or sleeps until something does.</summary>
    private async ValueTask WriteOnceAsync(PipeWriter output)
    {
        if (WriteBatch(output) == 0)
        {
            await _wake.Reader.ReadAsync(CancellationToken.None);
            return;
        }

        ValueTask<FlushResult> flushing = output.FlushAsync(_dropped.Token);
        if (_writerShare.IsUsedUpBy(flushing.IsCompleted))
        {
            await Task.Yield();
        }

        FlushResult flushed = await flushing;
        foreach (YamuxStream stream in _finishing)
        {
            stream.OutputFinished();
        }

        _finishing.Clear();
        EndIfLeft();
        if (flushed.IsCompleted)
        {
            End(YamuxFault.ChannelLost, Libp2pFault.ConnectionLost);
        }
    }

    /// <summary>Ends what was just finished but has not left: the session may know these streams no more, so its end passed them by.</summary>
    private void AbortFinishing(Libp2pException reason)
    {
        foreach (YamuxStream stream in _finishing)
        {
            stream.Abort(reason);
        }
    }

    /// <summary>Writes up to one batch to the channel's buffer; 0 means that the writer may sleep.</summary>
    private int WriteBatch(PipeWriter output)
    {
        int written = 0;
        while (written < BatchBytesMax && TryTakeWork(written == 0, out YamuxHeader control, out YamuxStreamState? turn, out int bytesMax))
        {
            written += turn is null ? WriteHeader(output, control) : WriteTurn(output, turn, bytesMax);
        }

        return written;
    }

    /// <summary>What to write next: a control frame, else the turn of a stream; false if nothing waits.</summary>
    private bool TryTakeWork(bool mayIdle, out YamuxHeader control, out YamuxStreamState? turn, out int bytesMax)
    {
        turn = null;
        bytesMax = 0;
        lock (_sync)
        {
            if (_isEnding)
            {
                control = default;
                return false;
            }

            if (_session.TryTakeControl(Now, out control) || _session.TryTakeTurn(out turn, out bytesMax))
            {
                return true;
            }

            _writerIsIdle = mayIdle;
            return false;
        }
    }

    private int WriteTurn(PipeWriter output, YamuxStreamState state, int bytesMax)
    {
        YamuxStream stream = state.Stream!;
        YamuxTurn turn = stream.WriteTurn(output, bytesMax);
        if (!turn.HasMore)
        {
            return turn.Bytes;
        }

        bool isFinished;
        YamuxHeader fin = default;
        lock (_sync)
        {
            isFinished = turn.IsLast && _session.TryFinish(state, out fin);
            if (!turn.IsLast && state.SendWindow > 0)
            {
                _session.OutputReady(state);
            }
        }

        if (!isFinished)
        {
            return turn.Bytes;
        }

        _finishing.Add(stream);
        if (state.IsGone)
        {
            ReleasePermit(stream);
        }

        return turn.Bytes + WriteHeader(output, fin);
    }

    /// <summary>The header of the next data of a stream; false if the stream has ended meanwhile.</summary>
    internal bool TrySend(YamuxStreamState stream, int bytes, out YamuxHeader header)
    {
        lock (_sync)
        {
            return _session.TrySend(stream, bytes, out header);
        }
    }

    private void SayGoodbye(PipeWriter output) => WriteHeader(
        output, new YamuxHeader(YamuxFrameType.GoAway, YamuxFlags.None, 0, (uint)Fault.ToGoAway()));

    private static int WriteHeader(PipeWriter output, in YamuxHeader header)
    {
        header.Write(output.GetSpan(YamuxHeader.Bytes));
        output.Advance(YamuxHeader.Bytes);
        return YamuxHeader.Bytes;
    }
}
