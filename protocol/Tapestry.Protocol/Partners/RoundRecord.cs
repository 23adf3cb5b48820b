using System.Diagnostics.CodeAnalysis;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Partners;

/// <summary>
/// All that another member needs to take over a round: the decided values, their certificates and the manifests that count.
/// Everything in it is checked again by who fetches it.
/// </summary>
/// <param name="Set">The encoded set or its VOID.</param>
/// <param name="SetCertificate">Its certificate of FINALIZE.</param>
/// <param name="Result">The encoded result or its VOID; empty when the set agreement was voided.</param>
/// <param name="ResultCertificate">Its certificate; empty likewise.</param>
/// <param name="Manifests">The signed manifests of the set, in its order; none in a VOID round.</param>
/// <remarks>specs/30-rounds.md, section 9. Table Rounds holds it; at most <see cref="BytesMaximum"/>.</remarks>
public sealed record RoundRecord(
    ByteString Set, ByteString SetCertificate, ByteString Result, ByteString ResultCertificate, Sequence<ByteString> Manifests)
{
    /// <summary>The longest record: a manifest of each member, and four bodies.</summary>
    public const int BytesMaximum = ((Limits.ManifestBytes + FrameBytes) * Limits.Members) + ((Limits.MessageBytes + FrameBytes) * 4) + FrameBytes;

    private const int FieldCount = 6;
    private const int FrameBytes = 32;
    private const string Domain = "tapestry/round/v1";

    /// <summary>The encoding.</summary>
    public ByteString Encode() => Encoded.Of(this, static (writer, record) =>
    {
        writer.WriteArray(FieldCount);
        writer.WriteString(Domain);
        writer.WriteBinary(record.Set.Span);
        writer.WriteBinary(record.SetCertificate.Span);
        writer.WriteBinary(record.Result.Span);
        writer.WriteBinary(record.ResultCertificate.Span);
        writer.WriteArray(record.Manifests.Count);
        foreach (ByteString manifest in record.Manifests)
        {
            writer.WriteBinary(manifest.Span);
        }
    });

    /// <summary>Reads an encoding; what the parts say is not checked here.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out RoundRecord? record)
    {
        record = null;
        if (bytes.Length > BytesMaximum)
        {
            return false;
        }

        CanonicalReader reader = new(bytes);
        if (!reader.TryReadArray(FieldCount)
            || !reader.TryReadLiteral(Domain)
            || !reader.TryReadBinary(1, Limits.MessageBytes, out ReadOnlySpan<byte> set)
            || !reader.TryReadBinary(1, Limits.MessageBytes, out ReadOnlySpan<byte> setCertificate)
            || !reader.TryReadBinary(0, Limits.MessageBytes, out ReadOnlySpan<byte> result)
            || !reader.TryReadBinary(0, Limits.MessageBytes, out ReadOnlySpan<byte> resultCertificate)
            || !reader.TryReadSequence(0, Limits.Members, ReadManifest, out Sequence<ByteString>? manifests)
            || !reader.IsAtEnd)
        {
            return false;
        }

        record = new RoundRecord(
            ByteString.CopyFrom(set), ByteString.CopyFrom(setCertificate), ByteString.CopyFrom(result),
            ByteString.CopyFrom(resultCertificate), manifests);
        return true;
    }

    private static bool ReadManifest(ref CanonicalReader reader, [NotNullWhen(true)] out ByteString? manifest)
    {
        bool read = reader.TryReadBinary(1, Limits.ManifestBytes, out ReadOnlySpan<byte> bytes);
        manifest = read ? ByteString.CopyFrom(bytes) : null;
        return read;
    }
}
