namespace Tapestry.Libp2p;

/// <summary>Attempts to connect that are under way: whoever wants the same meanwhile waits for the same attempt.</summary>
/// <remarks>An attempt belongs to all who wait for it, and is abandoned when the last of them has gone.</remarks>
/// <typeparam name="TWhere">What an attempt is for: an address, or a peer wherever it is.</typeparam>
internal sealed class SharedDials<TWhere>
    where TWhere : class, IEquatable<TWhere>
{
    private readonly Lock _sync = new();
    private readonly Dictionary<TWhere, Attempt> _attempts = [];

    /// <summary>The connection that an attempt already under way makes, or else one that <paramref name="dial"/> does.</summary>
    /// <param name="where">Where to.</param>
    /// <param name="dial">Makes the connection; its token ends when nobody waits any more.</param>
    /// <param name="cancelled">Ends this caller's wait.</param>
    internal async Task<PeerConnection> DialAsync(
        TWhere where, Func<CancellationToken, Task<PeerConnection>> dial, CancellationToken cancelled)
    {
        Attempt attempt = Join(where, dial);
        try
        {
            return await attempt.Connection.WaitAsync(cancelled);
        }
        finally
        {
            Leave(attempt);
        }
    }

    private Attempt Join(TWhere where, Func<CancellationToken, Task<PeerConnection>> dial)
    {
        lock (_sync)
        {
            if (!_attempts.TryGetValue(where, out Attempt? attempt))
            {
                attempt = new Attempt(where);
                _attempts.Add(where, attempt);
                attempt.Connection = RunAsync(attempt, dial);
            }

            attempt.Waiting++;
            return attempt;
        }
    }

    private void Leave(Attempt attempt)
    {
        lock (_sync)
        {
            attempt.Waiting--;
            if (attempt.Waiting > 0 || !Remove(attempt))
            {
                return;
            }
        }

        attempt.Abandoned.Cancel();
    }

    private async Task<PeerConnection> RunAsync(Attempt attempt, Func<CancellationToken, Task<PeerConnection>> dial)
    {
        // Join holds the lock and has yet to count its caller.
        await Task.Yield();
        try
        {
            return await dial(attempt.Abandoned.Token);
        }
        finally
        {
            lock (_sync)
            {
                Remove(attempt);
            }
        }
    }

    // False when the attempt has ended, or was abandoned and another one may have taken its place.
    private bool Remove(Attempt attempt) =>
        _attempts.TryGetValue(attempt.Where, out Attempt? current) && current == attempt && _attempts.Remove(attempt.Where);

    private sealed class Attempt(TWhere where)
    {
        internal TWhere Where { get; } = where;

        // Without a timer there is nothing to dispose.
        internal CancellationTokenSource Abandoned { get; } = new();

        internal Task<PeerConnection> Connection { get; set; } = null!;

        internal int Waiting { get; set; }
    }
}
