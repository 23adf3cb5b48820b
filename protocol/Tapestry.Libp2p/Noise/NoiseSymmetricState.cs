using System.Security.Cryptography;
using Tapestry.Crypto;

namespace Tapestry.Libp2p.Noise;

/// <summary>What both sides of a handshake mix every byte into: the chaining key and the handshake hash.</summary>
/// <remarks>noiseprotocol.org, revision 34, section 5.2 (SymmetricState), with SHA-256.</remarks>
internal sealed class NoiseSymmetricState : IDisposable
{
    private readonly byte[] _chainingKey = new byte[Digest.Length];
    private readonly byte[] _hash = new byte[Digest.Length];
    private NoiseCipher? _cipher;

    // The protocol's name is exactly one digest long, so it starts as the hash without being hashed.
    internal NoiseSymmetricState(ReadOnlySpan<byte> protocolName)
    {
        protocolName.CopyTo(_hash);
        protocolName.CopyTo(_chainingKey);
    }

    internal ReadOnlySpan<byte> Hash => _hash;

    // What encryption adds to a field: nothing before the first key.
    internal int Overhead => _cipher is null ? 0 : NoiseCipher.TagLength;

    public void Dispose()
    {
        _cipher?.Dispose();
        CryptographicOperations.ZeroMemory(_chainingKey);
    }

    internal void MixHash(ReadOnlySpan<byte> data)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_hash);
        hash.AppendData(data);
        hash.GetHashAndReset(_hash);
    }

    internal void MixKey(ReadOnlySpan<byte> sharedSecret)
    {
        Span<byte> output = stackalloc byte[2 * Digest.Length];
        DeriveTwo(sharedSecret, output);
        output[..Digest.Length].CopyTo(_chainingKey);
        _cipher?.Dispose();
        _cipher = new NoiseCipher(output[Digest.Length..]);
        CryptographicOperations.ZeroMemory(output);
    }

    // Writes the field, encrypted once there is a key, and returns its length on the wire.
    internal int EncryptAndHash(ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        Span<byte> field = destination[..(plaintext.Length + Overhead)];
        if (_cipher is null)
        {
            plaintext.CopyTo(field);
        }
        else
        {
            _cipher.Encrypt(_hash, plaintext, field);
        }

        MixHash(field);
        return field.Length;
    }

    // The plaintext is Overhead bytes shorter than the field. False when the field does not authenticate.
    internal bool TryDecryptAndHash(ReadOnlySpan<byte> field, Span<byte> plaintext)
    {
        if (_cipher is null)
        {
            field.CopyTo(plaintext);
        }
        else if (!_cipher.TryDecrypt(_hash, field, plaintext))
        {
            return false;
        }

        MixHash(field);
        return true;
    }

    // The initiator sends with the first and receives with the second.
    internal (NoiseCipher First, NoiseCipher Second) Split()
    {
        Span<byte> output = stackalloc byte[2 * Digest.Length];
        DeriveTwo(default, output);
        NoiseCipher first = new(output[..Digest.Length]);
        NoiseCipher second = new(output[Digest.Length..]);
        CryptographicOperations.ZeroMemory(output);
        return (first, second);
    }

    // HKDF with two outputs, section 4.3. Written out because Split has no input key, which the platform's HKDF refuses.
    private void DeriveTwo(ReadOnlySpan<byte> inputKey, Span<byte> output)
    {
        Span<byte> temporaryKey = stackalloc byte[Digest.Length];
        HMACSHA256.HashData(_chainingKey, inputKey, temporaryKey);
        HMACSHA256.HashData(temporaryKey, [1], output[..Digest.Length]);
        HMACSHA256.HashData(temporaryKey, [.. output[..Digest.Length], 2], output[Digest.Length..]);
        CryptographicOperations.ZeroMemory(temporaryKey);
    }
}
