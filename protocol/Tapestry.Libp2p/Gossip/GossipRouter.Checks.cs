using System.Buffers.Binary;

namespace Tapestry.Libp2p.Gossip;

/// <summary>What becomes of a message that came: worth a check or not, verified, judged.</summary>
internal sealed partial class GossipRouter
{
    // Messages whose signature is being checked, with who sent the same bytes meanwhile.
    private readonly Dictionary<GossipId, Unverified> _unverified = [];

    // Messages of each author that have verified in this heartbeat: no more than the ids that are remembered.
    private readonly Dictionary<PeerId, int> _verifiedOf = [];

    // Twice what an author may say, because its heartbeats are not ours.
    private int HeardOfAuthor => 2 * _parameters.MessagesPerAuthor;

    /// <summary>The signature of a message does not hold, or its author is none.</summary>
    internal void Refused(SignedMessage message, PeerId sender, GossipFault fault)
    {
        SentInvalid(sender, message.Topic, fault);
        if (_unverified.TryGetValue(message.Id, out Unverified? pending) && pending.Message == message)
        {
            _unverified.Remove(message.Id);
            foreach (PeerId other in pending.Others)
            {
                SentInvalid(other, message.Topic, fault);
            }
        }
    }

    /// <summary>The signature of a message holds.</summary>
    /// <returns>Whether the application is to judge it; false when it came another way meanwhile, or its author says too much.</returns>
    internal bool Verified(GossipMessage message, TimeSpan now)
    {
        List<PeerId> others = TakeOthers(message);
        _promises.Fulfil(message.Id);
        bool isNew = !_seen.TryGet(message.Id, out SeenMessage? seen);
        if (isNew)
        {
            int said = _verifiedOf.GetValueOrDefault(message.Author);
            if (said >= HeardOfAuthor)
            {
                // Not remembered: once the author is heard again, whoever has it may offer it.
                return false;
            }

            _verifiedOf[message.Author] = said + 1;
            seen = _seen.Add(message.Id, message.Author, message.Sequence, message.Sender, now);
        }
        else
        {
            Repeated(seen!, message.Sender, message.Topic, now);
        }

        foreach (PeerId other in others)
        {
            Repeated(seen!, other, message.Topic, now);
        }

        if (!isNew)
        {
            return false;
        }

        if (message.Data.Length >= _parameters.DoNotWantBytes)
        {
            SayNotWanted(message, seen!);
        }

        return true;
    }

    /// <summary>The application has judged a message: it is forwarded, or whoever sent it is scored.</summary>
    internal void Judged(GossipMessage message, GossipVerdict verdict, TimeSpan now)
    {
        if (!_seen.TryGet(message.Id, out SeenMessage? seen))
        {
            // Judging took longer than ids are remembered.
            return;
        }

        switch (verdict)
        {
            case GossipVerdict.Accept:
                seen.Judge(SeenStatus.Accepted, now);
                _scores.AddFirst(seen.First, message.Topic);
                foreach (PeerId other in seen.Others)
                {
                    _scores.AddDuplicate(other, message.Topic, TimeSpan.Zero);
                }

                _cache.Put(message.Signed);
                Forward(message, seen);
                break;
            case GossipVerdict.Reject:
                seen.Judge(SeenStatus.Rejected, now);
                SentInvalid(seen.First, message.Topic, GossipFault.Rejected);
                foreach (PeerId other in seen.Others)
                {
                    SentInvalid(other, message.Topic, GossipFault.Rejected);
                }

                break;
            default:
                seen.Judge(SeenStatus.Ignored, now);
                break;
        }
    }

    /// <summary>Whether a message that came is worth checking its signature; what is not is dealt with here.</summary>
    /// <param name="sender">Who sent it.</param>
    /// <param name="message">The message.</param>
    /// <param name="inCheck">What is to be checked of the same RPC, by author.</param>
    /// <param name="now">The time.</param>
    private bool IsWorthChecking(RouterPeer sender, SignedMessage message, Dictionary<PeerId, int> inCheck, TimeSpan now)
    {
        if (!_topics.TryGetValue(message.Topic, out RouterTopic? topic) || !topic.IsJoined)
        {
            if (!(topic?.LeftAt + _parameters.UnsubscribeBackoff > now))
            {
                Misbehaved(sender, GossipFault.UnwantedTopic);
            }

            return false;
        }

        GossipFault fault = message.Inspect(_limits);
        fault = fault == GossipFault.None && message.From.Span.SequenceEqual(_self.Bytes) ? GossipFault.SelfOrigin : fault;
        fault = fault == GossipFault.None && message.Author is null ? GossipFault.AuthorMalformed : fault;
        if (fault != GossipFault.None)
        {
            SentInvalid(sender.Id, message.Topic, fault);
            return false;
        }

        if (_seen.TryGet(message.Id, out SeenMessage? seen))
        {
            Repeated(seen, sender.Id, message.Topic, now);
            return false;
        }

        if (_seen.IsStale(message.Author!, BinaryPrimitives.ReadUInt64BigEndian(message.Sequence.Span)))
        {
            // Whoever has forgotten less of the author, or nothing, forwards in good faith.
            _promises.Forgive(sender.Id, message.Id);
            if (message.Author == sender.Id && !sender.TakeAnswer(message.Id))
            {
                Misbehaved(sender, GossipFault.Replayed);
            }

            return false;
        }

        return IsAuthorHeard(sender, message, inCheck) && !IsBeingChecked(sender, message, now);
    }

    // Only what has verified counts for an author, and what one RPC says in its name for that RPC: so nobody but the author
    // can use up what is heard of it.
    private bool IsAuthorHeard(RouterPeer sender, SignedMessage message, Dictionary<PeerId, int> inCheck)
    {
        PeerId author = message.Author!;
        int count = inCheck.GetValueOrDefault(author);
        if (_verifiedOf.GetValueOrDefault(author) + count < HeardOfAuthor)
        {
            inCheck[author] = count + 1;
            return true;
        }

        _promises.Forgive(sender.Id, message.Id);
        if (author == sender.Id && !sender.HasFlooded)
        {
            sender.HasFlooded = true;
            Misbehaved(sender, GossipFault.AuthorFlood);
        }

        return false;
    }

    // Equal bytes need one check. Other bytes under the same id need their own: one of the two is forged, and it must not
    // keep the real one out.
    private bool IsBeingChecked(RouterPeer sender, SignedMessage message, TimeSpan now)
    {
        if (!_unverified.TryGetValue(message.Id, out Unverified? pending))
        {
            _unverified.Add(message.Id, new Unverified(message, now + _parameters.CheckTime));
            return false;
        }

        if (!pending.Message.Encoded.Span.SequenceEqual(message.Encoded.Span))
        {
            return false;
        }

        pending.Others.Add(sender.Id);
        return true;
    }

    /// <summary>Who sent the bytes of a message that was checked; whoever sent others under its id waits for their own check.</summary>
    private List<PeerId> TakeOthers(GossipMessage message)
    {
        if (!_unverified.TryGetValue(message.Id, out Unverified? pending) || pending.Message != message.Signed)
        {
            return [];
        }

        _unverified.Remove(message.Id);
        return pending.Others;
    }

    /// <summary>Does not wait for ever for a check: another copy is then worth one.</summary>
    private void ForgetUnchecked(TimeSpan now)
    {
        foreach ((GossipId id, Unverified pending) in _unverified)
        {
            if (pending.GiveUpAt <= now)
            {
                _unverified.Remove(id);
            }
        }
    }

    /// <summary>A message came again.</summary>
    private void Repeated(SeenMessage seen, PeerId sender, string topic, TimeSpan now)
    {
        if (!seen.TryAdd(sender))
        {
            // Control overtakes messages, so what we asked for may have been on its way.
            if (!_peers.TryGetValue(sender, out RouterPeer? peer) || !peer.TakeAnswer(seen.Id))
            {
                Blame(sender, GossipFault.Replayed);
            }

            return;
        }

        if (seen.Status == SeenStatus.Accepted)
        {
            _scores.AddDuplicate(sender, topic, now - seen.JudgedAt);
        }
        else if (seen.Status == SeenStatus.Rejected)
        {
            SentInvalid(sender, topic, GossipFault.Rejected);
        }
    }

    private sealed class Unverified(SignedMessage message, TimeSpan giveUpAt)
    {
        public SignedMessage Message { get; } = message;

        public TimeSpan GiveUpAt { get; } = giveUpAt;

        public List<PeerId> Others { get; } = [];
    }
}
