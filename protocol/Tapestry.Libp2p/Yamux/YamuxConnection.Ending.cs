namespace Tapestry.Libp2p.Yamux;

/// <summary>How a session ends: once, with everything that waits on it.</summary>
public sealed partial class YamuxConnection
{
    private async Task<Libp2pFault> RunAsync()
    {
        // The constructor goes on at once; the first read may otherwise run in it.
        await Task.Yield();
        await using (_time.CreateTimer(_ => Listen(), null, _limits.SilenceMax, _limits.SilenceMax))
        {
            await Task.WhenAll(ReadChannelAsync(), WriteChannelAsync());
        }

        // Whoever waits for the end may block; a thread that hears of sockets must not.
        await Task.Yield();
        if (_channel is IAsyncDisposable disposable)
        {
            await disposable.DisposeAsync();
        }

        lock (_sync)
        {
            _dropped.Dispose();
        }

        return Fault.ToLibp2p();
    }

    /// <summary>Called every so often: a remote that was silent is asked, and one that stays silent is taken for lost.</summary>
    private void Listen()
    {
        bool isLost;
        lock (_sync)
        {
            isLost = _silentTicks == 2;
            if (++_silentTicks == 2 && !_isEnding)
            {
                _session.Ping(Now);
                WakeIfWork();
            }
        }

        if (isLost)
        {
            End(YamuxFault.Silence, Libp2pFault.ConnectionLost);
        }
    }

    /// <summary>Ends the session; only the first call counts.</summary>
    /// <param name="fault">What the session ends with.</param>
    /// <param name="forStreams">What streams that are still open end with.</param>
    private void End(YamuxFault fault, Libp2pFault forStreams)
    {
        List<YamuxStream> streams = [];
        List<TaskCompletionSource<TimeSpan?>> pings;
        lock (_sync)
        {
            if (_isEnding)
            {
                return;
            }

            _isEnding = true;
            Fault = fault;
            _reason = new Libp2pException(forStreams, Explain(fault));
            foreach (YamuxStreamState state in _session.Streams)
            {
                // A stream whose first frame was the fault has no pipes yet.
                if (state.Stream is YamuxStream stream)
                {
                    streams.Add(stream);
                }
            }

            _session.ReturnWindows();

            // Under the lock, because the tasks that this ends dispose the timer.
            _dropped.CancelAfter(_limits.GoodbyeTimeout);
            pings = [.. _pings.Values];
            _pings.Clear();
        }

        foreach (YamuxStream open in streams)
        {
            open.Abort(_reason);
        }

        foreach (TaskCompletionSource<TimeSpan?> ping in pings)
        {
            ping.TrySetResult(null);
        }

        _accepted.Writer.TryComplete();
        _ended.Cancel();
        _wake.Writer.TryWrite(true);
    }

    private string Explain(YamuxFault fault) => fault switch
    {
        YamuxFault.None => $"The connection to {Remote} was closed.",
        YamuxFault.Silence => $"{Remote} has not been heard of for {2 * _limits.SilenceMax.TotalSeconds:F0} s; dial it again.",
        YamuxFault.ChannelLost => $"The connection to {Remote} broke; dial it again.",
        _ => $"The connection to {Remote} ended with the yamux fault {fault}.",
    };
}
