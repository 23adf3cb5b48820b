namespace Tapestry.Libp2p.Gossip;

/// <summary>Entering and leaving topics, our own messages, and passing on those of others.</summary>
internal sealed partial class GossipRouter
{
    private int _published;

    /// <summary>Enters a topic.</summary>
    internal void Join(string name, TimeSpan now)
    {
        RouterTopic topic = TopicOf(name);
        if (topic.IsJoined)
        {
            return;
        }

        topic.IsJoined = true;
        topic.LeftAt = null;
        Announce(new GossipSubscription(name, true));
        foreach (RouterPeer peer in topic.Fanout)
        {
            if (MayGraft(topic, peer, now))
            {
                Graft(topic, peer, now);
            }
        }

        topic.Fanout.Clear();
        topic.FanoutUntil = null;
        GraftUpTo(topic, _parameters.MeshPeers, now, static _ => true);
        SendGathered();
    }

    /// <summary>Leaves a topic.</summary>
    internal void Leave(string name, TimeSpan now)
    {
        if (!_topics.TryGetValue(name, out RouterTopic? topic) || !topic.IsJoined)
        {
            return;
        }

        topic.IsJoined = false;
        topic.LeftAt = now;
        Announce(new GossipSubscription(name, false));
        foreach (RouterPeer peer in topic.Mesh)
        {
            _scores.Prune(peer.Id, name);
            BackOff(topic, peer.Id, _parameters.UnsubscribeBackoff, now);
            peer.Prune.Add(PruneOf(topic, peer, _parameters.UnsubscribeBackoff, exchanges: true));
        }

        topic.Mesh.Clear();
        SendGathered();
    }

    /// <summary>Whether we have said less in this heartbeat than others hear of one author.</summary>
    internal bool MayPublish => _published < _parameters.MessagesPerAuthor;

    /// <summary>To whom a message of our own would go now.</summary>
    internal IReadOnlyList<PeerId> AudienceOf(string topic, TimeSpan now) => [.. Audience(TopicOf(topic), now).Select(peer => peer.Id)];

    /// <summary>Sends a message of our own, and keeps it for whoever asks.</summary>
    /// <returns>To how many peers it goes at once.</returns>
    internal int Publish(GossipMessage message, TimeSpan now)
    {
        RouterTopic topic = TopicOf(message.Topic);
        _published++;
        _seen.Add(message.Id, _self, message.Sequence, _self, now).Judge(SeenStatus.Accepted, now);
        _cache.Put(message.Signed);
        List<RouterPeer> audience = Audience(topic, now);
        GossipRpc rpc = new() { Messages = [message.Signed] };
        foreach (RouterPeer peer in audience)
        {
            Send(peer, rpc);
        }

        return audience.Count;
    }

    private void Forward(GossipMessage message, SeenMessage seen)
    {
        RouterTopic topic = TopicOf(message.Topic);
        GossipRpc rpc = new() { Messages = [message.Signed] };
        foreach (RouterPeer peer in topic.Peers)
        {
            bool isTarget = peer.IsExplicit || topic.Mesh.Contains(peer);
            if (isTarget && peer.Id != message.Author && !seen.WasSentBy(peer.Id) && !peer.Unwanted.ContainsKey(message.Id))
            {
                Send(peer, rpc);
            }
        }
    }

    // After the signature is checked, although the specification allows it before: else anybody could keep a message from us
    // by forging one of the same id.
    private void SayNotWanted(GossipMessage message, SeenMessage seen)
    {
        GossipRpc rpc = new() { DoNotWant = [message.Id] };
        foreach (RouterPeer peer in TopicOf(message.Topic).Mesh)
        {
            if (peer.Version >= GossipVersion.V12 && !seen.WasSentBy(peer.Id) && peer.DoNotWantSent < _parameters.DoNotWantIdsPerHeartbeat)
            {
                peer.DoNotWantSent++;
                Send(peer, rpc);
            }
        }
    }

    private List<RouterPeer> Audience(RouterTopic topic, TimeSpan now)
    {
        if (_parameters.FloodPublish)
        {
            return topic.Peers.FindAll(peer => peer.IsReachable && (peer.IsExplicit || Score(peer) >= _scoring.PublishThreshold));
        }

        List<RouterPeer> audience = topic.Peers.FindAll(static peer => peer.IsReachable && peer.IsExplicit);
        audience.AddRange(topic.IsJoined ? topic.Mesh : FanoutOf(topic, now));
        return audience;
    }

    private List<RouterPeer> FanoutOf(RouterTopic topic, TimeSpan now)
    {
        FillFanout(topic);
        topic.FanoutUntil = now + _parameters.FanoutTime;
        return topic.Fanout;
    }

    private void FillFanout(RouterTopic topic)
    {
        List<RouterPeer> others = topic.Peers.FindAll(peer =>
            peer.IsReachable && !peer.IsExplicit && !topic.Fanout.Contains(peer) && Score(peer) >= _scoring.PublishThreshold);
        topic.Fanout.AddRange(Draw(others, _parameters.MeshPeers - topic.Fanout.Count));
    }

    private void Announce(GossipSubscription subscription)
    {
        GossipRpc rpc = new() { Subscriptions = [subscription] };
        foreach (RouterPeer peer in _inOrder)
        {
            Send(peer, rpc);
        }
    }
}
