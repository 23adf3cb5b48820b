using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Partners;

/// <summary>The one row of table Update.</summary>
internal static class LocalUpdateEncoding
{
    private const int FieldCount = 6;

    internal static ByteString Encode(LocalUpdate update) => Encoded.Of(update, static (writer, value) =>
    {
        writer.WriteArray(FieldCount);
        writer.WriteDigest(value.Base);
        writer.WriteDigests(value.ShardRoots);
        writer.WriteDigest(value.CandidateResidual);
        writer.WriteInteger(value.Tokens);
        writer.WriteDouble(value.LossBefore);
        writer.WriteDouble(value.LossAfter);
    });

    internal static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out LocalUpdate? update)
    {
        update = null;
        CanonicalReader reader = new(bytes);
        if (!reader.TryReadArray(FieldCount)
            || !reader.TryReadDigest(out Digest @base)
            || !reader.TryReadDigests(1, Limits.Slices, out Sequence<Digest>? roots)
            || !reader.TryReadDigest(out Digest residual)
            || !reader.TryReadInteger(1, long.MaxValue, out long tokens)
            || !reader.TryReadDouble(out double lossBefore)
            || !reader.TryReadDouble(out double lossAfter)
            || !reader.IsAtEnd)
        {
            return false;
        }

        update = new LocalUpdate(@base, roots, residual, tokens, lossBefore, lossAfter);
        return true;
    }
}
