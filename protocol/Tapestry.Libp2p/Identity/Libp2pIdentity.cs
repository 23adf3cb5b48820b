using Tapestry.Crypto;

namespace Tapestry.Libp2p;

/// <summary>Who we are on the network: an Ed25519 signing key and the peer id that it has.</summary>
/// <remarks>Owns the key and wipes it on disposal.</remarks>
public sealed class Libp2pIdentity : IDisposable
{
    private readonly SigningKey _key;

    /// <summary>The identity of <paramref name="key"/>, which it takes over.</summary>
    public Libp2pIdentity(SigningKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        _key = key;
        PublicKey = IdentityKey.From(key.PublicKey);
        PeerId = PeerId.From(PublicKey);
    }

    /// <summary>Our peer id.</summary>
    public PeerId PeerId { get; }

    /// <summary>Our public key, as it is sent to others.</summary>
    public IdentityKey PublicKey { get; }

    /// <summary>Signs <paramref name="message"/>.</summary>
    public Signature Sign(ReadOnlySpan<byte> message) => _key.Sign(message);

    /// <summary>Wipes the key.</summary>
    public void Dispose() => _key.Dispose();
}
