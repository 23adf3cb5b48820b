using System.Buffers;
using System.IO.Pipelines;

namespace Tapestry.Libp2p.Yamux;

/// <summary>The task that reads the channel. It hands payload to streams and never waits for one.</summary>
public sealed partial class YamuxConnection
{
    private long _payloadLeft;
    private YamuxStream? _payloadStream;
    private bool _isLastPayload;
    private bool _hasHeard;

    private async Task ReadChannelAsync()
    {
        PipeReader input = _channel.Input;
        YamuxFault fault = YamuxFault.InternalError;
        try
        {
            fault = await ReadFramesAsync(input);
        }
        catch (OperationCanceledException)
        {
            fault = YamuxFault.None;
        }
        catch (Exception lost) when (lost is IOException or InvalidOperationException or ObjectDisposedException)
        {
            fault = Broken;
        }
        finally
        {
            // Also after a mistake of ours: nobody may wait for a session that nobody reads.
            End(fault, fault is YamuxFault.None ? Libp2pFault.ConnectionLost : fault.ToLibp2p());
            if (_payloadLeft > 0)
            {
                // FIN came on the header of these bytes, so the session may know the stream no more.
                _payloadStream?.Abort(_reason!);
            }
        }

        await input.CompleteAsync();
    }

    /// <summary>What an end of the channel means: nothing bad after a goodbye, though it be a reset, which overtakes what we had not sent yet.</summary>
    private YamuxFault Broken => _session.RemoteIsLeaving ? YamuxFault.None : YamuxFault.ChannelLost;

    private async ValueTask<YamuxFault> ReadFramesAsync(PipeReader input)
    {
        ThreadShare share = new(TimeProvider.System);
        while (true)
        {
            ValueTask<ReadResult> reading = input.ReadAsync(_ended.Token);
            if (share.IsUsedUpBy(reading.IsCompleted))
            {
                await Task.Yield();
            }

            ReadResult read = await reading;
            _silentTicks = 0;
            ReadOnlySequence<byte> buffer = read.Buffer;
            if (!_hasHeard && !buffer.IsEmpty)
            {
                _hasHeard = true;
                AllowMoreStreams();
            }

            YamuxFault fault = TakeFrames(ref buffer);
            bool isCut = read.IsCompleted && (!buffer.IsEmpty || _payloadLeft > 0);
            input.AdvanceTo(buffer.Start, buffer.End);
            if (fault != YamuxFault.None)
            {
                return fault;
            }

            if (read.IsCompleted)
            {
                return isCut ? YamuxFault.Truncated : Broken;
            }

            EndIfLeft();
            if (_session.RemoteIsLeaving && HasNoStreams())
            {
                return YamuxFault.None;
            }
        }
    }

    /// <summary>The remote is there: from now on only its acknowledgements bound how many streams we open.</summary>
    private void AllowMoreStreams()
    {
        if (_limits.UnacknowledgedMax > YamuxLimits.OpenedUnheardMax)
        {
            _openPermits.Release(_limits.UnacknowledgedMax - YamuxLimits.OpenedUnheardMax);
        }
    }

    /// <summary>Takes all whole headers and all payload from the front of the buffer.</summary>
    private YamuxFault TakeFrames(ref ReadOnlySequence<byte> buffer)
    {
        Span<byte> bytes = stackalloc byte[YamuxHeader.Bytes];
        while (true)
        {
            if (_payloadLeft > 0 && !buffer.IsEmpty)
            {
                TakePayload(ref buffer);
            }

            if (_payloadLeft > 0 || buffer.Length < YamuxHeader.Bytes)
            {
                return YamuxFault.None;
            }

            buffer.Slice(0, YamuxHeader.Bytes).CopyTo(bytes);
            buffer = buffer.Slice(YamuxHeader.Bytes);
            YamuxFault fault = YamuxHeader.Read(bytes, out YamuxHeader header);
            if (fault == YamuxFault.None)
            {
                fault = Receive(header);
            }

            if (fault != YamuxFault.None)
            {
                return fault;
            }
        }
    }

    private YamuxFault Receive(in YamuxHeader header)
    {
        YamuxVerdict verdict;
        TaskCompletionSource<TimeSpan?>? ping = null;
        TimeSpan? roundTrip;
        lock (_sync)
        {
            if (_isEnding)
            {
                return YamuxFault.None;
            }

            verdict = _session.Receive(header, Now);
            roundTrip = _session.RoundTrip;
            if (verdict.Has(YamuxEvents.Opened))
            {
                verdict.Stream!.Stream = new YamuxStream(this, verdict.Stream);
            }

            if (verdict.Has(YamuxEvents.Ponged))
            {
                _pings.Remove(verdict.Pong, out ping);
            }

            WakeIfWork();
        }

        ping?.TrySetResult(roundTrip);
        if (verdict.Fault == YamuxFault.None)
        {
            Follow(verdict, header);
        }

        return verdict.Fault;
    }

    /// <summary>Does what a verdict says, and remembers whose payload comes next.</summary>
    private void Follow(in YamuxVerdict verdict, in YamuxHeader header)
    {
        YamuxStream? stream = verdict.Stream?.Stream;
        _payloadLeft = header.Type == YamuxFrameType.Data ? header.Length : 0;
        _payloadStream = verdict.Has(YamuxEvents.Reset) ? null : stream;
        _isLastPayload = verdict.Has(YamuxEvents.EndOfData);
        if (stream is null)
        {
            TellRefusal(verdict);
            return;
        }

        if (verdict.Has(YamuxEvents.Opened))
        {
            _accepted.Writer.TryWrite(stream);
        }

        if (stream.State.IsAcknowledged || stream.State.IsGone)
        {
            ReleasePermit(stream);
        }

        if (verdict.Has(YamuxEvents.Reset))
        {
            stream.Abort(new Libp2pException(Libp2pFault.StreamReset, $"{Remote} reset stream {header.StreamId}."));
        }
        else if (_isLastPayload && _payloadLeft == 0)
        {
            stream.EndInput();
        }
    }

    private void TellRefusal(in YamuxVerdict verdict)
    {
        if (verdict.Has(YamuxEvents.TooFast))
        {
            StreamRefused?.Invoke(new Libp2pException(
                Libp2pFault.RateLimit, $"{Remote} opens streams faster than {_limits.OpenedPerSecondMax} a second, which {nameof(ResourceLimits.StreamsOpenedPerSecond)} allows."));
        }
        else if (verdict.Has(YamuxEvents.OneTooMany))
        {
            StreamRefused?.Invoke(new Libp2pException(
                Libp2pFault.ResourceLimit, $"{Remote} has as many streams as {nameof(ResourceLimits.StreamsPerConnection)} allows."));
        }
        else if (verdict.Has(YamuxEvents.NoRoom))
        {
            // Others may have taken the room, so it is no fault of this remote.
            StreamRefused?.Invoke(new Libp2pException(
                Libp2pFault.ClosedLocally, $"There is no window for a stream of {Remote}: all peers together have what {nameof(ResourceLimits.WindowBytes)} allows."));
        }
    }

    private void TakePayload(ref ReadOnlySequence<byte> buffer)
    {
        long bytes = Math.Min(_payloadLeft, buffer.Length);
        if (_payloadStream is YamuxStream stream)
        {
            long dropped = stream.Deliver(buffer.Slice(0, bytes));
            if (dropped > 0)
            {
                Taken(stream, dropped);
            }
        }

        buffer = buffer.Slice(bytes);
        _payloadLeft -= bytes;
        if (_payloadLeft == 0 && _isLastPayload)
        {
            _payloadStream?.EndInput();
        }
    }

    private bool HasNoStreams()
    {
        lock (_sync)
        {
            return _session.StreamCount == 0;
        }
    }
}
