using Tapestry.Crypto;

namespace Tapestry.Libp2p.Gossip;

/// <summary>Ed25519 keys of authors whose messages verified, so that a key is judged once and not for every message.</summary>
/// <remarks>Judging it costs as much as the rest of verifying a short message. The oldest goes when there are too many. May be used from any thread.</remarks>
internal sealed class AuthorKeys(int countMax)
{
    private readonly Lock _sync = new();
    private readonly Dictionary<PeerId, VerifyingKey> _byAuthor = [];
    private readonly Queue<PeerId> _inOrder = new();

    internal VerifyingKey? Find(PeerId author)
    {
        lock (_sync)
        {
            return _byAuthor.GetValueOrDefault(author);
        }
    }

    internal void Add(PeerId author)
    {
        if (!author.TryGetEd25519(out PublicKey key) || !VerifyingKey.TryFrom(key, out VerifyingKey? verifying))
        {
            return;
        }

        lock (_sync)
        {
            if (!_byAuthor.TryAdd(author, verifying))
            {
                return;
            }

            _inOrder.Enqueue(author);
            if (_inOrder.Count > countMax)
            {
                _byAuthor.Remove(_inOrder.Dequeue());
            }
        }
    }
}
