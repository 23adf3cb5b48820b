namespace Tapestry.Libp2p;

/// <summary>Reaches a peer by one of the addresses that the book knows: the next one starts when the last failed or takes long.</summary>
/// <remarks>As RFC 8305 does with the addresses of a name. The first that answers as the peer wins, the others are abandoned.</remarks>
/// <param name="book">Which addresses, in which order, and what came of them.</param>
/// <param name="connect">Dials one address that ends in the peer.</param>
/// <param name="options">After how long the next address starts.</param>
/// <param name="time">The clock.</param>
internal sealed class PeerDialer(
    AddressBook book, Func<Multiaddr, CancellationToken, Task<PeerConnection>> connect, AddressBookOptions options, TimeProvider time)
{
    // More at once would only crowd a slow line.
    private const int ConcurrentMax = 4;

    // Those that fail rest, so the next attempt goes on behind them.
    private const int AddressesPerAttempt = 16;

    /// <summary>Dials what does not rest.</summary>
    /// <exception cref="Libp2pException">No address is known, all of them rest, or why the last one failed.</exception>
    internal async Task<PeerConnection> ConnectAsync(PeerId peer, CancellationToken abandoned)
    {
        IReadOnlyList<KnownAddress> known = book.AddressesOf(peer);
        Queue<Multiaddr> waiting = new(known.Where(address => address.Rest == TimeSpan.Zero).Take(AddressesPerAttempt).Select(address => address.Address));
        if (waiting.Count == 0)
        {
            throw known.Count == 0
                ? new Libp2pException(Libp2pFault.Unreachable, $"No address of {peer} is known.")
                : new Libp2pException(
                    Libp2pFault.BackingOff, $"All {known.Count} addresses of {peer} failed; the next is dialled in {known.Min(address => address.Rest).TotalSeconds:0.0} s.");
        }

        using CancellationTokenSource decided = CancellationTokenSource.CreateLinkedTokenSource(abandoned);
        List<Task<PeerConnection>> running = [];
        try
        {
            return await RaceAsync(peer, waiting, running, decided.Token);
        }
        finally
        {
            await decided.CancelAsync();
            await ((Task)Task.WhenAll(running)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<PeerConnection> RaceAsync(PeerId peer, Queue<Multiaddr> waiting, List<Task<PeerConnection>> running, CancellationToken decided)
    {
        Libp2pException? failure = null;
        while (true)
        {
            if (running.Count < ConcurrentMax && waiting.TryDequeue(out Multiaddr? address))
            {
                running.Add(DialAsync(peer, address, decided));
            }
            else if (running.Count == 0)
            {
                throw failure!;
            }

            Task<PeerConnection>? first = await FirstAsync(running, waiting.Count > 0 && running.Count < ConcurrentMax, decided);
            if (first is null)
            {
                continue;
            }

            running.Remove(first);
            try
            {
                return await first;
            }
            catch (Libp2pException error)
            {
                failure = error;
            }
        }
    }

    /// <returns>The dial that has ended, or null when it is time for the next address.</returns>
    private async Task<Task<PeerConnection>?> FirstAsync(List<Task<PeerConnection>> running, bool isNextWaiting, CancellationToken decided)
    {
        Task<Task<PeerConnection>> any = Task.WhenAny(running);
        if (!isNextWaiting)
        {
            return await any;
        }

        using CancellationTokenSource ended = CancellationTokenSource.CreateLinkedTokenSource(decided);
        Task pause = Task.Delay(options.Stagger, time, ended.Token);
        await Task.WhenAny(any, pause);
        await ended.CancelAsync();
        return any.IsCompleted ? await any : null;
    }

    private async Task<PeerConnection> DialAsync(PeerId peer, Multiaddr address, CancellationToken decided)
    {
        try
        {
            PeerConnection connection = await connect(address.WithPeer(peer), decided);
            book.Reached(peer, address);
            return connection;
        }
        catch (Libp2pException error)
        {
            book.Missed(peer, address, leadsElsewhere: error.Fault is Libp2pFault.WrongPeer or Libp2pFault.PeerRefused);
            throw;
        }
    }
}
