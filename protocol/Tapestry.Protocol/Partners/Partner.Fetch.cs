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
            FetchBody(BodyKind.Value, value, providers, outbox);
        }

        return false;
    }

    private void FetchBody(BodyKind kind, Digest body, Sequence<MemberId> providers, Outbox outbox)
    {
        // Another one first at each retry: nobody can hold a body back by being the one who is asked first.
        MemberId[] others = [.. providers.Where(member => member != _self).Distinct()];
        int first = others.Length == 0 ? 0 : _round.Retries % others.Length;
        Sequence<MemberId> inTurn = [.. others[first..], .. others[..first]];
        _works.Begin(new Work.FetchBody(kind, body), outbox, id => new Effect.FetchBody(id, kind, body, inTurn));
    }

    private void TakeBody(Work.FetchBody fetch, ByteString bytes, Outbox outbox)
    {
        bool isTaken = fetch.Kind == BodyKind.Value ? TakeValue(fetch.Body, bytes, outbox) : TakeManifest(fetch.Body, bytes, outbox);
        if (!isTaken)
        {
            Again(fetch, outbox);
        }
    }

    private bool TakeValue(Digest digest, ByteString bytes, Outbox outbox)
    {
        if (Digest.Of(bytes.Span) != digest)
        {
            return false;
        }

        if (DecidedValue.TryRead(bytes.Span, out DecidedValue? value) && value.Place.Round == _round.Number)
        {
            _round.Values[digest] = value;
            KeepBody(digest, bytes, outbox);
        }
        else
        {
            // The bytes are what was named, and they are no value of this round: whoever proposed them lied.
            _round.BadBodies.Add(digest);
        }

        return true;
    }

    private bool TakeManifest(Digest digest, ByteString bytes, Outbox outbox)
    {
        bool isGood = Bodies.TryReadManifest(bytes, digest, out SignedStatement? signed)
            && signed.Instance == _round.Places.Contributing
            && IsAcceptable((Statement.Manifest)signed.Statement, signed.Author, outbox);
        if (isGood)
        {
            HoldManifest(digest, signed!, outbox);
        }

        return isGood;
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
