using System.Formats.Asn1;
using System.Security.Cryptography;

namespace Tapestry.Libp2p.Tls;

/// <summary>A certificate as libp2p uses it: it vouches for nobody but carries who signed its key.</summary>
/// <remarks>
/// libp2p/specs, tls/tls.md, "Peer Authentication"; RFC 5280, section 4.1. Read here from its bytes, because the signature is over
/// the very bytes of its key, and because the base library's checks are those of the web.
/// </remarks>
internal static class TlsCertificate
{
    /// <summary>The longest certificate that is read, in bytes: twice what RSA keys of 8192 bits take in every place.</summary>
    internal const int MaximumLength = 8192;

    /// <summary>The extension that holds identity key and signature.</summary>
    internal const string ExtensionId = "1.3.6.1.4.1.53594.1.1";

    // Key usage, basic constraints, extended key usage: understood, and of no meaning where nobody vouches.
    private static readonly string[] UnderstoodExtensions = [ExtensionId, "2.5.29.15", "2.5.29.19", "2.5.29.37"];

    private static readonly Asn1Tag Version = new(TagClass.ContextSpecific, 0, isConstructed: true);
    private static readonly Asn1Tag IssuerUniqueId = new(TagClass.ContextSpecific, 1);
    private static readonly Asn1Tag SubjectUniqueId = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag Extensions = new(TagClass.ContextSpecific, 3, isConstructed: true);

    private static ReadOnlySpan<byte> SignaturePrefix => "libp2p-tls-handshake:"u8;

    /// <summary>What an identity signs to own a certificate's key.</summary>
    /// <param name="spki">The key, as <c>SubjectPublicKeyInfo</c> in DER.</param>
    internal static byte[] SignedBytes(ReadOnlySpan<byte> spki) => [.. SignaturePrefix, .. spki];

    /// <summary>The content of the extension.</summary>
    internal static byte[] WriteExtension(Libp2pIdentity identity, ReadOnlySpan<byte> spki)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteOctetString(identity.PublicKey.Encoded);
            writer.WriteOctetString(identity.Sign(SignedBytes(spki)).ToArray());
        }

        return writer.Encode();
    }

    /// <summary>Reads a certificate and checks all that libp2p asks of it.</summary>
    /// <param name="certificate">The certificate in DER.</param>
    /// <param name="now">The time at which it must be valid.</param>
    /// <param name="peer">The peer that it proves.</param>
    /// <returns>None, or what is wrong with it.</returns>
    internal static Libp2pFault Verify(ReadOnlyMemory<byte> certificate, DateTimeOffset now, out PeerId? peer)
    {
        peer = null;
        if (certificate.Length > MaximumLength)
        {
            return Libp2pFault.TooLarge;
        }

        try
        {
            Contents contents = Read(certificate);
            if (now < contents.NotBefore || now > contents.NotAfter)
            {
                return Libp2pFault.TlsCertificateDates;
            }

            Libp2pFault fault = CheckExtensions(contents.Extensions, out ReadOnlyMemory<byte> extension);
            return fault != Libp2pFault.None ? fault
                : IsSelfSigned(contents) ? VerifyIdentity(extension, contents.Spki, out peer)
                : Libp2pFault.TlsSelfSignature;
        }
        catch (AsnContentException)
        {
            return Libp2pFault.Malformed;
        }
    }

    private static Libp2pFault CheckExtensions(AsnReader? extensions, out ReadOnlyMemory<byte> libp2p)
    {
        libp2p = default;
        while (extensions is not null && extensions.HasData)
        {
            AsnReader extension = extensions.ReadSequence();
            string id = extension.ReadObjectIdentifier();
            bool isCritical = extension.PeekTag() == Asn1Tag.Boolean && extension.ReadBoolean();
            ReadOnlyMemory<byte> value = extension.ReadOctetString();
            extension.ThrowIfNotEmpty();
            if (isCritical && !UnderstoodExtensions.Contains(id))
            {
                return Libp2pFault.TlsCriticalExtension;
            }

            if (id == ExtensionId)
            {
                if (!libp2p.IsEmpty)
                {
                    return Libp2pFault.TlsExtension;
                }

                libp2p = value;
            }
        }

        return libp2p.IsEmpty ? Libp2pFault.TlsExtension : Libp2pFault.None;
    }

    private static bool IsSelfSigned(Contents contents)
    {
        HashAlgorithmName? hash = contents.SignatureAlgorithm switch
        {
            "1.2.840.10045.4.3.2" or "1.2.840.113549.1.1.11" => HashAlgorithmName.SHA256,
            "1.2.840.10045.4.3.3" or "1.2.840.113549.1.1.12" => HashAlgorithmName.SHA384,
            "1.2.840.10045.4.3.4" or "1.2.840.113549.1.1.13" => HashAlgorithmName.SHA512,
            _ => null,
        };
        bool isEcdsa = contents.SignatureAlgorithm.StartsWith("1.2.840.10045", StringComparison.Ordinal);
        using AsymmetricAlgorithm? key = isEcdsa
            ? PublicKeyFormats.ImportEcdsa(contents.Spki.Span)
            : PublicKeyFormats.ImportRsa(contents.Spki.Span);
        return hash is HashAlgorithmName name && key is not null
            && PublicKeyFormats.Verify(key, contents.Signed.Span, contents.Signature, name);
    }

    private static Libp2pFault VerifyIdentity(ReadOnlyMemory<byte> extension, ReadOnlyMemory<byte> spki, out PeerId? peer)
    {
        peer = null;
        byte[] keyBytes;
        byte[] signature;
        try
        {
            AsnReader outer = new(extension, AsnEncodingRules.DER);
            AsnReader signedKey = outer.ReadSequence();
            outer.ThrowIfNotEmpty();
            keyBytes = signedKey.ReadOctetString();
            signature = signedKey.ReadOctetString();
            signedKey.ThrowIfNotEmpty();
        }
        catch (AsnContentException)
        {
            return Libp2pFault.TlsExtension;
        }

        if (!IdentityKey.TryRead(keyBytes, out IdentityKey? identity))
        {
            return Libp2pFault.TlsExtension;
        }

        if (!identity.IsUsable)
        {
            return Libp2pFault.IdentityKeyRefused;
        }

        if (!identity.Verify(SignedBytes(spki.Span), signature))
        {
            return Libp2pFault.TlsIdentitySignature;
        }

        peer = PeerId.From(identity);
        return Libp2pFault.None;
    }

    private static Contents Read(ReadOnlyMemory<byte> certificate)
    {
        AsnReader outer = new(certificate, AsnEncodingRules.DER);
        AsnReader parts = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        ReadOnlyMemory<byte> signed = parts.PeekEncodedValue();
        AsnReader fields = parts.ReadSequence();
        ReadOnlyMemory<byte> algorithm = parts.ReadEncodedValue();
        byte[] signature = parts.ReadBitString(out int unusedBits);
        parts.ThrowIfNotEmpty();
        if (unusedBits != 0)
        {
            throw new AsnContentException("A signature is whole bytes.");
        }

        if (fields.PeekTag().HasSameClassAndValue(Version))
        {
            fields.ReadEncodedValue();
        }

        fields.ReadIntegerBytes();
        ReadOnlyMemory<byte> signedAlgorithm = fields.ReadEncodedValue();
        ReadOnlyMemory<byte> issuer = fields.ReadEncodedValue();
        AsnReader validity = fields.ReadSequence();
        (DateTimeOffset notBefore, DateTimeOffset notAfter) = (ReadTime(validity), ReadTime(validity));
        ReadOnlyMemory<byte> subject = fields.ReadEncodedValue();
        ReadOnlyMemory<byte> spki = fields.ReadEncodedValue();
        AsnReader? extensions = null;
        while (fields.HasData)
        {
            Asn1Tag tag = fields.PeekTag();
            if (tag.HasSameClassAndValue(IssuerUniqueId) || tag.HasSameClassAndValue(SubjectUniqueId) || !tag.HasSameClassAndValue(Extensions) || extensions is not null)
            {
                throw new AsnContentException("A certificate of libp2p has extensions after its key, once, and no unique ids.");
            }

            AsnReader block = fields.ReadSequence(Extensions);
            extensions = block.ReadSequence();
            block.ThrowIfNotEmpty();
        }

        // Of a self-signed certificate, issuer and subject are the same name; and what is signed names the algorithm that signed it.
        bool isSound = issuer.Span.SequenceEqual(subject.Span) && signedAlgorithm.Span.SequenceEqual(algorithm.Span);
        string algorithmId = new AsnReader(algorithm, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier();
        return new Contents(signed, isSound ? algorithmId : "", signature, notBefore, notAfter, spki, extensions);
    }

    private static DateTimeOffset ReadTime(AsnReader validity) => validity.PeekTag() == Asn1Tag.UtcTime
        ? validity.ReadUtcTime(twoDigitYearMax: 2049)
        : validity.ReadGeneralizedTime();

    private sealed record Contents(
        ReadOnlyMemory<byte> Signed,
        string SignatureAlgorithm,
        byte[] Signature,
        DateTimeOffset NotBefore,
        DateTimeOffset NotAfter,
        ReadOnlyMemory<byte> Spki,
        AsnReader? Extensions);
}
