namespace Tapestry.Libp2p.Gossip;

/// <summary>The score of every peer, from what it did. Pure: the caller brings the time.</summary>
/// <remarks>libp2p/specs, pubsub/gossipsub/gossipsub-v1.1.md, "The Score Function". Counters decay at <see cref="Decay"/>, once an interval.</remarks>
internal sealed class PeerScores
{
    private readonly GossipScoring _scoring;
    private readonly int _rememberedMax;
    private readonly Dictionary<PeerId, Standing> _standings = [];
    private readonly List<PeerId> _gone = [];
    private readonly Dictionary<string, int> _peersAt = new(StringComparer.Ordinal);

    internal PeerScores(GossipScoring scoring, int rememberedMax)
    {
        scoring.Validate();
        _scoring = scoring;
        _rememberedMax = rememberedMax;
    }

    internal int Count => _standings.Count;

    /// <summary>A peer came; what it did before is remembered.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="ip">Its IP address; null when it has none that counts.</param>
    internal void Add(PeerId peer, string? ip)
    {
        if (!_standings.TryGetValue(peer, out Standing? standing))
        {
            standing = new Standing();
            _standings.Add(peer, standing);
        }
        else
        {
            _gone.Remove(peer);
        }

        standing.ForgetAt = null;
        Move(standing, ip is null || _scoring.ColocationAllowed.Contains(ip) ? null : ip);
    }

    /// <summary>A peer has gone. A good score is forgotten at once, so that it cannot be kept by leaving; a bad one is kept.</summary>
    internal void Remove(PeerId peer, TimeSpan now)
    {
        if (!_standings.TryGetValue(peer, out Standing? standing) || standing.ForgetAt is not null)
        {
            return;
        }

        if (Of(peer) > 0)
        {
            Forget(peer, standing);
            return;
        }

        foreach ((string topic, TopicStanding inTopic) in standing.Topics)
        {
            inTopic.FirstDeliveries = 0;
            inTopic.LeaveMesh(_scoring.Of(topic)!);
        }

        standing.ForgetAt = now + _scoring.RetainTime;
        _gone.Add(peer);
        if (_gone.Count > _rememberedMax)
        {
            Forget(_gone[0], _standings[_gone[0]]);
            _gone.RemoveAt(0);
        }
    }

    /// <summary>The score of a peer; 0 of one that was never here.</summary>
    internal double Of(PeerId peer)
    {
        if (!_standings.TryGetValue(peer, out Standing? standing))
        {
            return 0;
        }

        double score = 0;
        foreach ((string topic, TopicStanding inTopic) in standing.Topics)
        {
            TopicScoring scoring = _scoring.Of(topic)!;
            score += scoring.Weight * inTopic.Score(scoring);
        }

        if (_scoring.TopicCap > 0)
        {
            score = Math.Min(score, _scoring.TopicCap);
        }

        score += _scoring.ApplicationWeight * _scoring.ApplicationScore(peer);
        if (standing.Ip is not null && _peersAt[standing.Ip] > _scoring.ColocationThreshold)
        {
            double surplus = _peersAt[standing.Ip] - _scoring.ColocationThreshold;
            score += _scoring.ColocationWeight * surplus * surplus;
        }

        double excess = Math.Max(0, standing.Behaviour - _scoring.BehaviourThreshold);
        return score + (_scoring.BehaviourWeight * excess * excess);
    }

    /// <summary>P7: the peer misbehaved.</summary>
    internal void Penalise(PeerId peer, double amount)
    {
        if (_standings.TryGetValue(peer, out Standing? standing))
        {
            standing.Behaviour += amount;
        }
    }

    internal void Graft(PeerId peer, string topic, TimeSpan now) => StandingIn(peer, topic)?.EnterMesh(now);

    internal void Prune(PeerId peer, string topic)
    {
        if (_scoring.Of(topic) is TopicScoring scoring)
        {
            StandingIn(peer, topic)?.LeaveMesh(scoring);
        }
    }

    /// <summary>P4: the peer sent an invalid message.</summary>
    internal void AddInvalid(PeerId peer, string topic)
    {
        if (StandingIn(peer, topic) is TopicStanding standing)
        {
            standing.Invalid++;
        }
    }

    /// <summary>P2 and P3: the peer was the first to send a valid message.</summary>
    internal void AddFirst(PeerId peer, string topic)
    {
        if (_scoring.Of(topic) is TopicScoring scoring && StandingIn(peer, topic) is TopicStanding standing)
        {
            standing.FirstDeliveries = Math.Min(standing.FirstDeliveries + 1, scoring.FirstDeliveriesCap);
            standing.AddDelivery(scoring);
        }
    }

    /// <summary>P3: the peer sent a valid message as well, <paramref name="late"/> after it was found valid.</summary>
    internal void AddDuplicate(PeerId peer, string topic, TimeSpan late)
    {
        if (_scoring.Of(topic) is TopicScoring scoring && late <= scoring.DeliveriesWindow)
        {
            StandingIn(peer, topic)?.AddDelivery(scoring);
        }
    }

    /// <summary>Lets an interval pass: counters decay, times in a mesh are taken, and whoever has been gone for long is forgotten.</summary>
    internal void Decay(TimeSpan now)
    {
        foreach ((PeerId _, Standing standing) in _standings)
        {
            if (standing.ForgetAt is not null)
            {
                continue;
            }

            standing.Behaviour = Decayed(standing.Behaviour, _scoring.BehaviourDecay);
            foreach ((string topic, TopicStanding inTopic) in standing.Topics)
            {
                TopicScoring scoring = _scoring.Of(topic)!;
                inTopic.FirstDeliveries = Decayed(inTopic.FirstDeliveries, scoring.FirstDeliveriesDecay);
                inTopic.Deliveries = Decayed(inTopic.Deliveries, scoring.DeliveriesDecay);
                inTopic.MeshFailures = Decayed(inTopic.MeshFailures, scoring.MeshFailureDecay);
                inTopic.Invalid = Decayed(inTopic.Invalid, scoring.InvalidDecay);
                inTopic.TakeTime(now, scoring);
            }
        }

        for (int index = _gone.Count - 1; index >= 0; index--)
        {
            Standing standing = _standings[_gone[index]];
            if (standing.ForgetAt < now)
            {
                Forget(_gone[index], standing);
                _gone.RemoveAt(index);
            }
        }
    }

    private double Decayed(double counter, double factor)
    {
        double left = counter * factor;
        return left < _scoring.DecayToZero ? 0 : left;
    }

    private TopicStanding? StandingIn(PeerId peer, string topic)
    {
        if (!_standings.TryGetValue(peer, out Standing? standing) || _scoring.Of(topic) is null)
        {
            return null;
        }

        if (!standing.Topics.TryGetValue(topic, out TopicStanding? inTopic))
        {
            inTopic = new TopicStanding();
            standing.Topics.Add(topic, inTopic);
        }

        return inTopic;
    }

    private void Forget(PeerId peer, Standing standing)
    {
        Move(standing, null);
        _standings.Remove(peer);
    }

    private void Move(Standing standing, string? ip)
    {
        if (standing.Ip is not null && --_peersAt[standing.Ip] == 0)
        {
            _peersAt.Remove(standing.Ip);
        }

        standing.Ip = ip;
        if (ip is not null)
        {
            _peersAt[ip] = _peersAt.GetValueOrDefault(ip) + 1;
        }
    }

    private sealed class Standing
    {
        public SortedDictionary<string, TopicStanding> Topics { get; } = new(StringComparer.Ordinal);

        public string? Ip { get; set; }

        public double Behaviour { get; set; }

        public TimeSpan? ForgetAt { get; set; }
    }

    /// <summary>What a peer did in one topic.</summary>
    private sealed class TopicStanding
    {
        private TimeSpan? _graftedAt;
        private TimeSpan _timeInMesh;
        private bool _owesDeliveries;

        public double FirstDeliveries { get; set; }

        public double Deliveries { get; set; }

        public double MeshFailures { get; set; }

        public double Invalid { get; set; }

        public void EnterMesh(TimeSpan now)
        {
            _graftedAt = now;
            _timeInMesh = TimeSpan.Zero;
            _owesDeliveries = false;
        }

        public void LeaveMesh(TopicScoring scoring)
        {
            if (_graftedAt is not null)
            {
                MeshFailures += SquaredDeficit(scoring);
            }

            _graftedAt = null;
            _owesDeliveries = false;
        }

        public void TakeTime(TimeSpan now, TopicScoring scoring)
        {
            if (_graftedAt is TimeSpan since)
            {
                _timeInMesh = now - since;
                _owesDeliveries |= _timeInMesh > scoring.DeliveriesActivation;
            }
        }

        public void AddDelivery(TopicScoring scoring)
        {
            if (_graftedAt is not null)
            {
                Deliveries = Math.Min(Deliveries + 1, scoring.DeliveriesCap);
            }
        }

        public double Score(TopicScoring scoring)
        {
            double time = _graftedAt is null ? 0 : Math.Min(Math.Floor(_timeInMesh / scoring.TimeInMeshQuantum), scoring.TimeInMeshCap);
            return (scoring.TimeInMeshWeight * time)
                + (scoring.FirstDeliveriesWeight * FirstDeliveries)
                + (scoring.DeliveriesWeight * SquaredDeficit(scoring))
                + (scoring.MeshFailureWeight * MeshFailures)
                + (scoring.InvalidWeight * Invalid * Invalid);
        }

        private double SquaredDeficit(TopicScoring scoring)
        {
            double deficit = _owesDeliveries ? Math.Max(0, scoring.DeliveriesThreshold - Deliveries) : 0;
            return deficit * deficit;
        }
    }
}
