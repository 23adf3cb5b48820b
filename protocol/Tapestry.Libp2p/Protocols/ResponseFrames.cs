using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>Where a handler writes a response that is a sequence of frames.</summary>
/// <remarks>A requester that takes nothing more for <see cref="ResourceLimits.ResponseDeadline"/> loses its stream.</remarks>
public sealed class ResponseFrames
{
    private readonly Libp2pStream _stream;
    private readonly Libp2pHostOptions _options;

    internal ResponseFrames(Libp2pStream stream, Libp2pHostOptions options)
    {
        _stream = stream;
        _options = options;
    }

    /// <summary>Sends one frame; waits while the requester is behind.</summary>
    /// <exception cref="Libp2pException">The stream has ended, or <see cref="Libp2pFault.DeadlinePassed"/>: the requester takes nothing.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> frame, CancellationToken cancelled)
    {
        ReadOnlyMemory<byte> rest = LengthPrefix.WriteStart(_stream.Output, frame);
        await PatientlyAsync(_stream.Output.FlushAsync(cancelled));
        while (!rest.IsEmpty)
        {
            ReadOnlyMemory<byte> part = rest[..Math.Min(rest.Length, LengthPrefix.PartLength)];
            await PatientlyAsync(_stream.Output.WriteAsync(part, cancelled));
            rest = rest[part.Length..];
        }
    }

    /// <summary>Ends the response and waits for the requester to end its side.</summary>
    internal async Task EndAsync(CancellationToken cancelled)
    {
        using Deadline deadline = new(_options.Limits.ResponseDeadline, _options.Time, cancelled);
        try
        {
            await _stream.CompleteWriteAsync(deadline.Token);
            await StreamEnd.WaitAsync(_stream.Input, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw TakesNothing();
        }
    }

    // Nearly always there is room and nothing to wait for, so only a wait costs a timer.
    private async ValueTask PatientlyAsync<T>(ValueTask<T> flushed)
    {
        if (flushed.IsCompleted)
        {
            await flushed;
            return;
        }

        Task<T> waiting = flushed.AsTask();
        try
        {
            await waiting.WaitAsync(_options.Limits.ResponseDeadline, _options.Time);
        }
        catch (TimeoutException)
        {
            _stream.Reset();
            await waiting.ContinueWith(static ended => _ = ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw TakesNothing();
        }
    }

    private Libp2pException TakesNothing() => new(
        Libp2pFault.DeadlinePassed, $"{_stream.Remote} has taken nothing of its response for {_options.Limits.ResponseDeadline.TotalSeconds:0.###} s.");
}
