using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tapestry.Crypto.Native;

/// <summary>The few functions of libsodium that the base library lacks. Names are libsodium's own.</summary>
/// <remarks>libsodium 1.0.18 (Debian's libsodium23). Every buffer is passed at its exact length by the caller.</remarks>
internal static partial class Sodium
{
    private const string Library = "libsodium.so.23";

    private const string MixedOrderPoint = "9599999999999999999999999999999999999999999999999999999999999999";
    private const string CofactoredOnlyKey = "a54fd3b93cbaac6c1a46f896f075c02f993a91f957ac5d1a74afe6da6845bef9";
    private const string CofactoredOnlySignature =
        "031fb44cd41a7b6df8d7c6ffe328413507be86b9ba7ec01451f5660c12c5da64"
        + "9dec52086649a596d1830b3df629a12ed4d5e43fe75a06d55f4eb0fc6bcade0a";

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "sodium_init must run once before any other function; it is idempotent and thread-safe.")]
    internal static void Initialise()
    {
        try
        {
            // 0: initialised now; 1: already initialised; negative: the library cannot be used.
            if (sodium_init() < 0)
            {
                throw new InvalidOperationException("libsodium could not be initialised.");
            }

            RefuseForeignRules();
        }
        catch (DllNotFoundException error)
        {
            throw new InvalidOperationException("libsodium could not be loaded. Install it: apt-get install libsodium23", error);
        }
    }

    /// <summary>Refuses a libsodium whose answers differ in the two corners that its releases treat differently.</summary>
    private static void RefuseForeignRules()
    {
        // The base point plus the point of order two, (0, -1): unpatched releases take it for a point of the prime-order
        // group (CVE-2025-69277), and the first condition of Ed25519's rule would not hold.
        ReadOnlySpan<byte> baseAndOrderTwo = Convert.FromHexString(MixedOrderPoint);

        // Satisfies the cofactored equation only: R has a low-order component, the key has none. Releases after 1.0.18
        // accept it, and the third condition would not hold.
        ReadOnlySpan<byte> key = Convert.FromHexString(CofactoredOnlyKey);
        ReadOnlySpan<byte> signature = Convert.FromHexString(CofactoredOnlySignature);
        ReadOnlySpan<byte> message = "tapestry/selftest"u8;
        if (crypto_core_ed25519_is_valid_point(baseAndOrderTwo) != 0
            || crypto_core_ed25519_is_valid_point(key) != 1
            || crypto_sign_ed25519_verify_detached(signature, message, (ulong)message.Length, key) == 0)
        {
            throw new InvalidOperationException(
                "This libsodium accepts points or signatures that other members refuse; install Debian's current libsodium23 (1.0.18).");
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
    internal static partial int crypto_core_ed25519_is_valid_point(ReadOnlySpan<byte> point);

    [LibraryImport(Library)]
    internal static partial int crypto_scalarmult_curve25519_base(Span<byte> publicKey, ReadOnlySpan<byte> secretKey);

    [LibraryImport(Library)]
    internal static partial int crypto_scalarmult_curve25519(Span<byte> shared, ReadOnlySpan<byte> secretKey, ReadOnlySpan<byte> publicKey);
}
