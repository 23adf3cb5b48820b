namespace Tapestry.Libp2p;

/// <summary>A token that ends with its caller's or when a time has passed, and knows which it was.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly TimeSpan _after;
    private readonly CancellationToken _cancelled;
    private readonly CancellationTokenSource _timer;
    private readonly CancellationTokenSource _either;

    internal Deadline(TimeSpan after, TimeProvider time, CancellationToken cancelled)
    {
        _after = after;
        _cancelled = cancelled;
        _timer = new CancellationTokenSource(after, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, cancelled);
    }

    internal CancellationToken Token => _either.Token;

    internal bool Passed => _timer.IsCancellationRequested && !_cancelled.IsCancellationRequested;

    public void Dispose()
    {
        _either.Dispose();
        _timer.Dispose();
    }

    internal Libp2pException Error(string what) =>
        new(Libp2pFault.DeadlinePassed, $"{what} took longer than {_after.TotalSeconds:0.###} s.");
}
