using System.Security.Cryptography;
using Tapestry.Crypto;

namespace Tapestry.Libp2p;

/// <summary>Signatures by identity keys of all four kinds.</summary>
/// <remarks>libp2p/specs, peer-ids/peer-ids.md, "Key Types": all but Ed25519 sign the SHA-256 of the message; RSA by PKCS #1 v1.5, the curves in DER.</remarks>
public sealed partial class IdentityKey
{
    /// <summary>The longest signature that any key makes, in bytes: RSA of 8192 bits.</summary>
    public const int MaximumSignatureLength = PublicKeyFormats.RsaBitsMax / 8;

    /// <summary>Whether the data is a key of its type that we take: a point on its curve, or RSA of 2048 to 8192 bits.</summary>
    public bool IsUsable => Type switch
    {
        IdentityKeyType.Ed25519 => TryGetEd25519(out PublicKey key) && Ed25519.IsUsable(key),
        _ => TryImport(out AsymmetricAlgorithm? imported) && Free(imported!),
    };

    /// <summary>Whether this key signed <paramref name="message"/>; false for every malformed signature and unusable key.</summary>
    public bool Verify(ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (TryGetEd25519(out PublicKey key))
        {
            return signature.Length == Signature.Length && Ed25519.Verify(key, message, new Signature(signature));
        }

        if (signature.Length > MaximumSignatureLength || !TryImport(out AsymmetricAlgorithm? imported))
        {
            return false;
        }

        using AsymmetricAlgorithm algorithm = imported!;
        return PublicKeyFormats.Verify(algorithm, message, signature, HashAlgorithmName.SHA256);
    }

    private bool TryImport(out AsymmetricAlgorithm? imported)
    {
        imported = Type switch
        {
            IdentityKeyType.Rsa => PublicKeyFormats.ImportRsa(Data),
            IdentityKeyType.Ecdsa => PublicKeyFormats.ImportEcdsa(Data),
            IdentityKeyType.Secp256k1 => Secp256k1Key.Import(Data),
            _ => null,
        };
        return imported is not null;
    }

    private static bool Free(AsymmetricAlgorithm algorithm)
    {
        algorithm.Dispose();
        return true;
    }
}
