using System.Security.Cryptography;

namespace Tapestry.Crypto;

/// <summary>SHA-256 of data that comes in pieces.</summary>
/// <remarks>FIPS 180-4. For data at hand as one span, <see cref="Digest.Of"/>. Not for concurrent use.</remarks>
public sealed class Sha256 : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Takes in the next piece.</summary>
    public void Append(ReadOnlySpan<byte> data) => _hash.AppendData(data);

    /// <summary>The digest of all pieces since the start or the last call; the next piece starts anew.</summary>
    public Digest FinishAndReset()
    {
        Span<byte> hash = stackalloc byte[Digest.Length];
        _hash.GetHashAndReset(hash);
        return new Digest(hash);
    }

    /// <summary>Frees the native state.</summary>
    public void Dispose() => _hash.Dispose();
}
