namespace Tapestry.Libp2p.Gossip;

/// <summary>What a peer says.</summary>
internal sealed partial class GossipRouter
{
    /// <summary>Takes an RPC.</summary>
    /// <param name="from">Who sent it.</param>
    /// <param name="rpc">What it says.</param>
    /// <param name="now">The time.</param>
    /// <returns>Messages whose signatures are to be checked; each comes back by <see cref="Verified"/> or <see cref="Refused"/>.</returns>
    internal IReadOnlyList<SignedMessage> Receive(PeerId from, GossipRpc rpc, TimeSpan now)
    {
        if (!_peers.TryGetValue(from, out RouterPeer? peer))
        {
            return [];
        }

        TakeSubscriptions(peer, rpc.Subscriptions, now);
        if (!peer.IsExplicit && Score(peer) < _scoring.GraylistThreshold)
        {
            return [];
        }

        List<SignedMessage> fresh = [];
        Dictionary<PeerId, int> inCheck = [];
        foreach (SignedMessage message in rpc.Messages)
        {
            if (IsWorthChecking(peer, message, inCheck, now))
            {
                fresh.Add(message);
            }
        }

        if (rpc.HasControl)
        {
            TakeDoNotWant(peer, rpc.DoNotWant);
            TakeHave(peer, rpc.Have, now);
            TakeWant(peer, rpc.Want);
            TakeGraft(peer, rpc.Graft, now);
            TakePrune(peer, rpc.Prune, now);
        }

        return fresh;
    }

    private void TakeSubscriptions(RouterPeer peer, IReadOnlyList<GossipSubscription> subscriptions, TimeSpan now)
    {
        bool tooMany = false;
        foreach (GossipSubscription subscription in subscriptions)
        {
            if (!subscription.Subscribes)
            {
                Unsubscribed(peer, subscription.Topic);
            }
            else if (peer.Topics.Count < _limits.TopicsPerPeer)
            {
                Subscribed(peer, subscription.Topic, now);
            }
            else
            {
                tooMany |= !peer.Topics.Contains(subscription.Topic);
            }
        }

        if (tooMany)
        {
            Misbehaved(peer, GossipFault.TooManyTopics);
        }

        SendGathered();
    }

    private void Subscribed(RouterPeer peer, string name, TimeSpan now)
    {
        if (!peer.Topics.Add(name))
        {
            return;
        }

        RouterTopic topic = TopicOf(name);
        topic.Peers.Add(peer);
        if (peer.IsReachable)
        {
            Welcome(topic, peer, now);
        }
    }

    /// <summary>A peer is in a topic and can be sent to, both for the first time.</summary>
    private void Welcome(RouterTopic topic, RouterPeer peer, TimeSpan now)
    {
        topic.Newcomers.Add((peer, _cache.Position));

        // At once and not at the next heartbeat, as js-libp2p does, so that what is said next is heard.
        if (topic.IsJoined && topic.Mesh.Count < _parameters.MeshPeers && MayGraft(topic, peer, now))
        {
            Graft(topic, peer, now);
        }
    }

    private void Unsubscribed(RouterPeer peer, string name)
    {
        if (!peer.Topics.Remove(name))
        {
            return;
        }

        RouterTopic topic = _topics[name];
        topic.Peers.Remove(peer);
        topic.Fanout.Remove(peer);
        topic.Newcomers.RemoveAll(newcomer => newcomer.Peer == peer);
        if (topic.Mesh.Remove(peer))
        {
            _scores.Prune(peer.Id, name);
        }

        ForgetIfUnused(topic);
    }

    private void TakeHave(RouterPeer peer, IReadOnlyList<GossipHave> have, TimeSpan now)
    {
        if (have.Count == 0 || Score(peer) < _scoring.GossipThreshold)
        {
            return;
        }

        if (++peer.HaveRpcs > _parameters.HaveRpcsPerHeartbeat)
        {
            Misbehaved(peer, GossipFault.IhaveFlood);
            return;
        }

        HashSet<GossipId> known = [];
        List<GossipId> wanted = [];
        foreach (GossipHave of in have)
        {
            if (!_topics.TryGetValue(of.Topic, out RouterTopic? topic) || !topic.IsJoined)
            {
                continue;
            }

            foreach (GossipId id in of.Ids)
            {
                // What we said before a restart is not news to us, and to be sent it would look like a forgery.
                if (known.Add(id) && !_seen.Contains(id) && !_unverified.ContainsKey(id) && !id.Bytes.StartsWith(_self.Bytes) && !peer.IsAsked(id, now))
                {
                    wanted.Add(id);
                }
            }
        }

        Ask(peer, wanted, now);
    }

    private void Ask(RouterPeer peer, List<GossipId> wanted, TimeSpan now)
    {
        int count = Math.Min(wanted.Count, _parameters.HaveIdsPerHeartbeat - peer.HaveIds);
        if (count <= 0)
        {
            return;
        }

        for (int index = 0; index < count; index++)
        {
            int other = _random.Next(index, wanted.Count);
            (wanted[index], wanted[other]) = (wanted[other], wanted[index]);
        }

        peer.HaveIds += count;
        List<GossipId> asked = wanted.GetRange(0, count);
        foreach (GossipId id in asked)
        {
            peer.Ask(id, now + _parameters.PromiseTime);
        }

        _promises.Add(peer.Id, asked[_random.Next(count)], now);
        Send(peer, new GossipRpc { Want = asked });
    }

    private void TakeWant(RouterPeer peer, IReadOnlyList<GossipId> want)
    {
        if (want.Count == 0 || Score(peer) < _scoring.GossipThreshold)
        {
            return;
        }

        bool tooMany = false;
        HashSet<GossipId> answered = [];
        foreach (GossipId id in want)
        {
            if (++peer.WantIds > _parameters.WantIdsPerHeartbeat)
            {
                tooMany = true;
                break;
            }

            if (peer.Unwanted.ContainsKey(id) || !answered.Add(id) || !_cache.TryGet(id, peer.Id, out SignedMessage? message, out int times))
            {
                continue;
            }

            if (times > _parameters.Retransmissions)
            {
                tooMany = true;
                continue;
            }

            Send(peer, new GossipRpc { Messages = [message] });
        }

        if (tooMany)
        {
            Misbehaved(peer, GossipFault.IwantFlood);
        }
    }

    private void TakeDoNotWant(RouterPeer peer, IReadOnlyList<GossipId> ids)
    {
        // Twice what may be sent, because the peer's heartbeats are not ours.
        int most = 2 * _parameters.DoNotWantIdsPerHeartbeat;
        foreach (GossipId id in ids)
        {
            if (++peer.DoNotWantReceived > most)
            {
                if (peer.DoNotWantReceived == most + 1)
                {
                    Misbehaved(peer, GossipFault.IdontwantFlood);
                }

                return;
            }

            peer.Unwanted[id] = _heartbeat + _parameters.DoNotWantHeartbeats;
        }
    }

    private void TakeGraft(RouterPeer peer, IReadOnlyList<string> topics, TimeSpan now)
    {
        // What this RPC itself costs the peer does not decide about its other topics.
        double score = topics.Count == 0 ? 0 : Score(peer);
        bool exchanges = score >= 0;
        foreach (string name in topics)
        {
            if (!_topics.TryGetValue(name, out RouterTopic? topic) || !topic.IsJoined)
            {
                // No PRUNE in answer: it would let anybody make us talk. (js and go do the same.)
                Misbehaved(peer, GossipFault.GraftUnknownTopic);
                exchanges = false;
                continue;
            }

            // Whoever grafts is in the topic.
            if (peer.Topics.Count < _limits.TopicsPerPeer && peer.Topics.Add(name))
            {
                topic.Peers.Add(peer);
            }

            if (!topic.Mesh.Contains(peer) && !TryTakeInto(topic, peer, score, now, ref exchanges))
            {
                BackOff(topic, peer.Id, _parameters.PruneBackoff, now);
                peer.Prune.Add(PruneOf(topic, peer, _parameters.PruneBackoff, exchanges));
            }
        }

        SendGathered();
    }

    private bool TryTakeInto(RouterTopic topic, RouterPeer peer, double score, TimeSpan now, ref bool exchanges)
    {
        if (peer.IsExplicit || !topic.Peers.Contains(peer))
        {
            exchanges = false;
        }
        else if (topic.Backoffs.TryGetValue(peer.Id, out TimeSpan until) && now < until)
        {
            exchanges = false;
            Misbehaved(peer, GossipFault.GraftInBackoff);
            if (now < until + _parameters.GraftFloodTime - _parameters.PruneBackoff)
            {
                Misbehaved(peer, GossipFault.GraftFlood);
            }
        }
        else if (score < 0)
        {
            exchanges = false;
        }
        else if (topic.Mesh.Count < _parameters.MeshPeersHigh || peer.IsOutbound)
        {
            topic.Mesh.Add(peer);
            _scores.Graft(peer.Id, topic.Name, now);
            return true;
        }

        return false;
    }

    private void TakePrune(RouterPeer peer, IReadOnlyList<GossipPrune> prunes, TimeSpan now)
    {
        foreach (GossipPrune prune in prunes)
        {
            if (!_topics.TryGetValue(prune.Topic, out RouterTopic? topic) || !topic.IsJoined)
            {
                continue;
            }

            if (topic.Mesh.Remove(peer))
            {
                _scores.Prune(peer.Id, topic.Name);
            }

            BackOff(topic, peer.Id, prune.Backoff is TimeSpan asked && asked > TimeSpan.Zero ? asked : _parameters.PruneBackoff, now);
            if (Score(peer) >= _scoring.AcceptExchangeThreshold)
            {
                Meet(peer, prune.Peers);
            }
        }
    }

    private void Meet(RouterPeer recommending, IReadOnlyList<ExchangedPeer> recommended)
    {
        int count = 0;
        foreach (ExchangedPeer peer in recommended)
        {
            if (peer.Peer != _self && !_peers.ContainsKey(peer.Peer) && count++ < _parameters.ExchangedPeers)
            {
                _effects.Add(new GossipEffect.Meet(peer, recommending.Id));
            }
        }
    }

    private void BackOff(RouterTopic topic, PeerId peer, TimeSpan time, TimeSpan now) =>
        topic.BackOff(peer, now + time, _limits.RememberedPeers);

    private GossipPrune PruneOf(RouterTopic topic, RouterPeer peer, TimeSpan backoff, bool exchanges)
    {
        if (peer.Version < GossipVersion.V11)
        {
            return new GossipPrune(topic.Name, [], null);
        }

        List<ExchangedPeer> recommended = [];
        if (exchanges && _parameters.ExchangesPeers)
        {
            List<RouterPeer> others = topic.Peers.FindAll(other => other != peer && Score(other) >= 0);
            foreach (RouterPeer other in Draw(others, _parameters.ExchangedPeers))
            {
                if (_recordOf(other.Id) is ReadOnlyMemory<byte> signedRecord)
                {
                    recommended.Add(new ExchangedPeer(other.Id, signedRecord));
                }
            }
        }

        return new GossipPrune(topic.Name, recommended, backoff);
    }
}
