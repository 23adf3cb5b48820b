using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tapestry.Crypto.Native;

/// <summary>The few functions of libsodium that the base library lacks. Names are libsodium's own.</summary>
/// <remarks>libsodium 1.0.18 or later (Debian's libsodium23). Every buffer is passed at its exact length by the caller.</remarks>
internal static partial class Sodium
{
    private const string Library = "libsodium.so.23";

    [ModuleInitializer]
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Usage", "CA2255", Justification = "sodium_init must run once before any other function; it is idempotent and thread-safe.")]
    internal static void Initialise()
    {
        // 0: initialised now; 1: already initialised; negative: the library cannot be used.
        if (sodium_init() < 0)
        {
            throw new InvalidOperationException("libsodium could not be initialised.");
        }
    }

    [LibraryImport(Library)]
    private static partial int sodium_init();

    [LibraryImport(Library)]
    internal static partial int crypto_sign_ed25519_seed_keypair(Span<byte> publicKey, Span<byte> secretKey, ReadOnlySpan<byte> seed);

    [LibraryImport(Library)]
    internal static partial int crypto_sign_ed25519_detached(Span<byte> signature, out ulong signatureLength, ReadOnlySpan<byte> message, ulong messageLength, ReadOnlySpan<byte> secretKey);

    [LibraryImport(Library)]
    internal static partial int crypto_sign_ed25519_verify_detached(ReadOnlySpan<byte> signature, ReadOnlySpan<byte> message, ulong messageLength, ReadOnlySpan<byte> publicKey);

    [LibraryImport(Library)]
    internal static partial int crypto_scalarmult_curve25519_base(Span<byte> publicKey, ReadOnlySpan<byte> secretKey);

    [LibraryImport(Library)]
    internal static partial int crypto_scalarmult_curve25519(Span<byte> shared, ReadOnlySpan<byte> secretKey, ReadOnlySpan<byte> publicKey);
}
