using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

// Bodies that messages only name are fetched by digest, kept, and served to others.
public sealed partial class Partner
{
    private readonly SortedDictionary<long, SortedSet<Digest>> _bodies = [];

    bool ISimplexRound.HoldsBody(Instance instance, Digest value, Sequence<MemberId> providers, Outbox outbox) =>
        HoldsBody(instance, value, providers, outbox);

    private bool HoldsBody(Instance instance, Digest value, Sequence<MemberId> providers, Outbox outbox)
    {
        if (_round.Values.TryGetValue(value, out DecidedValue? held))
        {
            return held.Place == instance;
        }

        if (!_round.BadBodies.Contains(value))
        {
            FetchBody(value, providers, outbox);
        }

        return false;
    }

    private void FetchBody(Digest body, Sequence<MemberId> providers, Outbox outbox)
    {
        Sequence<MemberId> others = providers.Where(member => member != _self).ToSequence();
        _works.Begin(new Work.FetchBody(body), outbox, id => new Effect.FetchBody(id, body, others));
    }

    private void TakeBody(Work.FetchBody fetch, ByteString bytes, Outbox outbox)
    {
        if (Digest.Of(bytes.Span) == fetch.Body)
        {
            if (DecidedValue.TryRead(bytes.Span, out DecidedValue? value) && value.Place.Round == _round.Number)
            {
                _round.Values[fetch.Body] = value;
                KeepBody(fetch.Body, bytes, outbox);
            }
            else
            {
                // The bytes are what was named, and they are no value of this round: whoever proposed them lied.
                _round.BadBodies.Add(fetch.Body);
            }
        }
        else if (SignedStatement.TryRead(bytes.Span, out SignedStatement? signed)
            && signed.Statement is Statement.Manifest manifest
            && signed.Digest == fetch.Body
            && signed.Instance == _round.Places.Contributing
            && signed.Verify()
            && IsAcceptable(manifest, signed.Author, outbox))
        {
            HoldManifest(fetch.Body, signed, outbox);
        }
        else
        {
            // Not what was asked for: some provider lied, and another is asked after the retry timer.
            Again(fetch, outbox);
        }
    }

    private void KeepBody(Digest digest, ByteString body, Outbox outbox)
    {
        if (!_bodies.TryGetValue(_round.Number, out SortedSet<Digest>? ofRound))
        {
            ofRound = [];
            _bodies.Add(_round.Number, ofRound);
        }

        if (ofRound.Add(digest))
        {
            outbox.Put(Table.Bodies, RecordKeys.Of(digest), body);
        }
    }

    private void ForgetBodies(long before, Outbox outbox)
    {
        while (_bodies.Count > 0 && _bodies.First() is { } oldest && oldest.Key < before)
        {
            foreach (Digest body in oldest.Value)
            {
                outbox.Delete(Table.Bodies, RecordKeys.Of(body));
            }

            _bodies.Remove(oldest.Key);
        }
    }

    private static Sequence<MemberId> SignersOf(Certificate certificate) =>
        certificate.Votes.Select(vote => vote.Author).ToSequence();
}
