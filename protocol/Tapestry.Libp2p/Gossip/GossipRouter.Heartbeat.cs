namespace Tapestry.Libp2p.Gossip;

/// <summary>What is done once a second: meshes are kept in shape, and what was said is advertised.</summary>
internal sealed partial class GossipRouter
{
    /// <summary>Keeps everything in shape; to be called once a <see cref="GossipParameters.HeartbeatInterval"/>.</summary>
    internal void Heartbeat(TimeSpan now)
    {
        _heartbeat++;
        DecayScores(now);
        _published = 0;
        _verifiedOf.Clear();
        foreach (RouterPeer peer in _inOrder)
        {
            peer.Refill(_heartbeat, now - _parameters.AnswerTime);
        }

        foreach (PeerId peer in _promises.TakeBroken(now))
        {
            Blame(peer, GossipFault.BrokenPromise);
        }

        RemindOfExplicitPeers();
        foreach (RouterTopic topic in _topics.Values)
        {
            if (topic.IsJoined)
            {
                KeepMesh(topic, now);
                Advertise(topic, topic.Mesh);
            }
            else if (topic.FanoutUntil is not null)
            {
                KeepFanout(topic, now);
                Advertise(topic, topic.Fanout);
            }

            TellNewcomers(topic);
        }

        SendGathered();
        _cache.Shift();
        _seen.Expire(now);
        ForgetUnchecked(now);
        ForgetIdle(now);
    }

    private void DecayScores(TimeSpan now)
    {
        _lastDecay ??= now;
        while (_lastDecay + _scoring.DecayInterval <= now)
        {
            _lastDecay += _scoring.DecayInterval;
            _scores.Decay(now);
        }
    }

    private void RemindOfExplicitPeers()
    {
        if (_heartbeat % _parameters.ExplicitPeerHeartbeats != 1)
        {
            return;
        }

        foreach (PeerId peer in _options.ExplicitPeers.Order())
        {
            if (!_peers.ContainsKey(peer))
            {
                _effects.Add(new GossipEffect.Meet(new ExchangedPeer(peer, default), null));
            }
        }
    }

    private void KeepMesh(RouterTopic topic, TimeSpan now)
    {
        for (int index = topic.Mesh.Count - 1; index >= 0; index--)
        {
            if (Score(topic.Mesh[index]) < 0)
            {
                Prune(topic, topic.Mesh[index], now, exchanges: false);
            }
        }

        if (topic.Mesh.Count < _parameters.MeshPeersLow)
        {
            GraftUpTo(topic, _parameters.MeshPeers, now, static _ => true);
        }

        if (topic.Mesh.Count >= _parameters.MeshPeersHigh && topic.Mesh.Count > _parameters.MeshPeers)
        {
            Shed(topic, now);
        }

        if (topic.Mesh.Count >= _parameters.MeshPeersLow)
        {
            int outbound = topic.Mesh.Count(peer => peer.IsOutbound);
            int missing = Math.Max(0, _parameters.MeshPeersOutbound - outbound);
            GraftUpTo(topic, topic.Mesh.Count + missing, now, static peer => peer.IsOutbound);
        }

        if (_heartbeat % _parameters.OpportunisticHeartbeats == 0 && topic.Mesh.Count > 1)
        {
            GraftBetter(topic, now);
        }
    }

    /// <summary>Cuts a mesh down to size: the best stay, then whom the lot keeps, and enough whom we dialled.</summary>
    private void Shed(RouterTopic topic, TimeSpan now)
    {
        List<RouterPeer> byLot = Draw([.. topic.Mesh], topic.Mesh.Count);
        List<RouterPeer> byScore = [.. byLot.OrderByDescending(Score)];
        List<RouterPeer> staying = byScore.GetRange(0, Math.Min(_parameters.MeshPeersByScore, _parameters.MeshPeers));
        List<RouterPeer> rest = byLot.FindAll(peer => !staying.Contains(peer));
        staying.AddRange(rest.GetRange(0, Math.Max(0, _parameters.MeshPeers - staying.Count)));

        List<RouterPeer> outboundLeft = rest.FindAll(peer => peer.IsOutbound && !staying.Contains(peer));
        int missing = _parameters.MeshPeersOutbound - staying.Count(peer => peer.IsOutbound);
        for (int index = staying.Count - 1; index >= 0 && missing > 0 && outboundLeft.Count > 0; index--)
        {
            if (!staying[index].IsOutbound)
            {
                staying[index] = outboundLeft[0];
                outboundLeft.RemoveAt(0);
                missing--;
            }
        }

        foreach (RouterPeer peer in byLot)
        {
            if (!staying.Contains(peer))
            {
                Prune(topic, peer, now, exchanges: true);
            }
        }
    }

    private void GraftBetter(RouterTopic topic, TimeSpan now)
    {
        List<double> scores = [.. topic.Mesh.Select(Score).Order()];
        double median = scores[scores.Count / 2];
        if (median < _scoring.OpportunisticGraftThreshold)
        {
            GraftUpTo(topic, topic.Mesh.Count + _parameters.OpportunisticPeers, now, peer => Score(peer) > median);
        }
    }

    private void GraftUpTo(RouterTopic topic, int count, TimeSpan now, Predicate<RouterPeer> isWanted)
    {
        if (topic.Mesh.Count >= count)
        {
            return;
        }

        List<RouterPeer> candidates = topic.Peers.FindAll(peer => MayGraft(topic, peer, now) && isWanted(peer));
        foreach (RouterPeer peer in Draw(candidates, count - topic.Mesh.Count))
        {
            Graft(topic, peer, now);
        }
    }

    private bool MayGraft(RouterTopic topic, RouterPeer peer, TimeSpan now)
    {
        TimeSpan slack = _parameters.BackoffSlackHeartbeats * _parameters.HeartbeatInterval;
        bool isBackedOff = topic.Backoffs.TryGetValue(peer.Id, out TimeSpan until) && now < until + slack;
        return peer.IsReachable && !isBackedOff && !topic.Mesh.Contains(peer) && !peer.IsExplicit && Score(peer) >= 0;
    }

    private void Graft(RouterTopic topic, RouterPeer peer, TimeSpan now)
    {
        topic.Mesh.Add(peer);
        peer.Graft.Add(topic.Name);
        _scores.Graft(peer.Id, topic.Name, now);
    }

    private void Prune(RouterTopic topic, RouterPeer peer, TimeSpan now, bool exchanges)
    {
        topic.Mesh.Remove(peer);
        _scores.Prune(peer.Id, topic.Name);
        BackOff(topic, peer.Id, _parameters.PruneBackoff, now);
        peer.Graft.Remove(topic.Name);
        peer.Prune.Add(PruneOf(topic, peer, _parameters.PruneBackoff, exchanges));
    }

    private void KeepFanout(RouterTopic topic, TimeSpan now)
    {
        if (topic.FanoutUntil < now)
        {
            topic.FanoutUntil = null;
            topic.Fanout.Clear();
            return;
        }

        topic.Fanout.RemoveAll(peer => Score(peer) < _scoring.PublishThreshold);
        FillFanout(topic);
    }

    /// <summary>Tells whoever has just come what was said before; what is said since, it was sent.</summary>
    private void TellNewcomers(RouterTopic topic)
    {
        foreach ((RouterPeer peer, long cameAt) in topic.Newcomers)
        {
            List<GossipId> before = _cache.AdvertisedOf(topic.Name, cameAt);
            if (before.Count > 0 && !peer.Have.Exists(have => have.Topic == topic.Name) && Score(peer) >= _scoring.GossipThreshold)
            {
                peer.Have.Add(new GossipHave(topic.Name, SomeOf(before)));
            }
        }

        topic.Newcomers.Clear();
    }

    /// <summary>Tells some peers outside the mesh what we have.</summary>
    private void Advertise(RouterTopic topic, List<RouterPeer> except)
    {
        List<GossipId> ids = _cache.AdvertisedOf(topic.Name);
        if (ids.Count == 0)
        {
            return;
        }

        List<RouterPeer> others = topic.Peers.FindAll(peer =>
            peer.IsReachable && !except.Contains(peer) && !peer.IsExplicit && Score(peer) >= _scoring.GossipThreshold);
        int count = Math.Max(_parameters.GossipPeers, (int)(_parameters.GossipFactor * others.Count));
        foreach (RouterPeer peer in Draw(others, count))
        {
            peer.Have.Add(new GossipHave(topic.Name, SomeOf(ids)));
        }
    }

    // Each peer gets another selection, so that together they learn of more.
    private List<GossipId> SomeOf(List<GossipId> ids)
    {
        List<GossipId> some = [.. ids];
        int count = Math.Min(ids.Count, _parameters.HaveIdsPerHeartbeat);
        for (int index = 0; index < count; index++)
        {
            int other = _random.Next(index, some.Count);
            (some[index], some[other]) = (some[other], some[index]);
        }

        return some.GetRange(0, count);
    }

    private void SendGathered()
    {
        foreach (RouterPeer peer in _inOrder)
        {
            foreach (GossipRpc rpc in peer.TakeGathered(_limits))
            {
                Send(peer, rpc);
            }
        }
    }

    private void ForgetIdle(TimeSpan now)
    {
        TimeSpan slack = (_parameters.BackoffSlackHeartbeats + 1) * _parameters.HeartbeatInterval;
        List<string> idle = [];
        foreach (RouterTopic topic in _topics.Values)
        {
            foreach ((PeerId peer, TimeSpan until) in topic.Backoffs)
            {
                if (until + slack < now)
                {
                    topic.Backoffs.Remove(peer);
                }
            }

            if (topic.IsIdle(now, _parameters.UnsubscribeBackoff))
            {
                idle.Add(topic.Name);
            }
        }

        foreach (string name in idle)
        {
            _topics.Remove(name);
        }
    }
}
