using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>Reads the bodies that others answer with.</summary>
internal static class Bodies
{
    /// <summary>The signed manifest of a digest; false for anything else, and for a signature that does not hold.</summary>
    internal static bool TryReadManifest(ByteString bytes, Digest digest, [NotNullWhen(true)] out SignedStatement? signed) =>
        SignedStatement.TryRead(bytes.Span, out signed)
        && signed.Statement is Statement.Manifest
        && signed.Digest == digest
        && signed.Verify();
}
