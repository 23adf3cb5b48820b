using Tapestry.Libp2p;

namespace Tapestry.Node.Swarm;

/// <summary>Whom it asks: when a session begins, ends, and begins again.</summary>
internal sealed partial class BlobFetch
{
    /// <summary>Adds those who may be asked.</summary>
    public void Add(IEnumerable<PeerId> providers)
    {
        lock (_gate)
        {
            foreach (PeerId peer in providers)
            {
                if (_providers.Count < Limits.ProvidersPerBlob && peer != _swarm.Host.PeerId)
                {
                    _providers.TryAdd(peer, new Provider());
                }
            }
        }
    }

    /// <summary>A peer has served what is not a blob, this one or another, and is asked for nothing more.</summary>
    public void Drop(PeerId liar)
    {
        lock (_gate)
        {
            _providers.GetValueOrDefault(liar)?.Session?.End(BlobFault.None);
        }
    }

    /// <returns>False when nothing can be hoped for.</returns>
    private bool TickOnce(TimeSpan now)
    {
        foreach (int stalled in _schedule!.Stalled(now))
        {
            _sessions.GetValueOrDefault(stalled)?.End(BlobFault.Stalled);
        }

        foreach ((PeerId peer, Provider provider) in _providers)
        {
            if (provider.Session is null && now >= provider.NextAt && !_swarm.IsLiar(peer))
            {
                Begin(peer, provider);
            }
            else if (provider.Session is { Extent: null } session && now - provider.BeganAt > Limits.Patience)
            {
                session.End(BlobFault.Stalled);
            }
        }

        Advance();
        bool isAnyoneLeft = _providers.Values.Any(
            provider => provider.Session is FetchSession session ? session.Extent != BlobExtent.Nothing : provider.MayComeBack);
        if (_schedule.IsAnythingToCome)
        {
            _hopeAt = now;
        }

        return isAnyoneLeft && now - _hopeAt <= Limits.Patience;
    }

    private void Begin(PeerId peer, Provider provider)
    {
        FetchSession session = new(this, _swarm, peer, _sessionNumber++);
        provider.Session = session;
        provider.BeganAt = _swarm.Now;
        _sessions.Add(session.Number, session);
        _schedule!.Join(session.Number);
        _running.Add(RunSessionAsync(session, provider));
    }

    private async Task RunSessionAsync(FetchSession session, Provider provider)
    {
        BlobFault fault;
        try
        {
            fault = await session.RunAsync(Cancelled.Token);
        }
#pragma warning disable CA1031 // A full disk, or a mistake of ours: it ends the fetch and is thrown to those who wait for it.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _failure = failure;
            fault = BlobFault.None;
        }

        lock (_gate)
        {
            _liar = fault.IsLie() ? session.Peer : _liar;
            _sessions.Remove(session.Number);
            _schedule!.Leave(session.Number);
            provider.Lost(fault, _swarm.Now, Limits);
            Advance();
        }

        if (fault != BlobFault.None)
        {
            _swarm.Report(session.Peer, fault);
        }
    }

    private Task EndSessionsAsync()
    {
        lock (_gate)
        {
            // A copy: a session may end, and leave the table, before its cancellation returns.
            foreach (FetchSession session in _sessions.Values.ToArray())
            {
                session.End(BlobFault.None);
            }

            return Task.WhenAll(_running);
        }
    }

    private void Advance()
    {
        foreach (SwarmOrder order in _schedule!.Advance(_swarm.Now))
        {
            if (_sessions.TryGetValue(order.Provider, out FetchSession? session))
            {
                session.Say(BlobRequest.From(order));
            }
        }
    }

    /// <summary>Somebody who may be asked, connected or not.</summary>
    private sealed class Provider
    {
        private TimeSpan _pause;

        public FetchSession? Session { get; set; }

        public TimeSpan BeganAt { get; set; }

        public TimeSpan NextAt { get; private set; }

        /// <summary>It had something when its connection ended, and has not been heard since.</summary>
        public bool MayComeBack { get; private set; }

        public void Lost(BlobFault fault, TimeSpan now, SwarmLimits limits)
        {
            bool hadSome = Session!.Extent is BlobExtent.Part or BlobExtent.Whole;
            MayComeBack = (fault == BlobFault.Disconnected && hadSome) || (fault == BlobFault.Unreachable && MayComeBack);
            Session = null;
            _pause = _pause == TimeSpan.Zero ? limits.RetryPause : 2 * _pause > limits.Patience ? limits.Patience : 2 * _pause;
            NextAt = now + _pause;
        }
    }
}
