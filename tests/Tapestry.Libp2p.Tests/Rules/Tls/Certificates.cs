using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Tapestry.Libp2p.Tls;

namespace Tapestry.Libp2p.Tests.Rules.Tls;

/// <summary>Certificates that are right but for what a test changes.</summary>
internal sealed class Certificates : IDisposable
{
    internal static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    internal ECDsa Key { get; } = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    internal byte[] Spki => Key.ExportSubjectPublicKeyInfo();

    internal Libp2pIdentity Identity { get; } = Hosts.Identity(1);

    public void Dispose()
    {
        Key.Dispose();
        Identity.Dispose();
    }

    /// <summary>The extension as it should be.</summary>
    internal X509Extension Extension(bool critical = false) => Extension(TlsCertificate.WriteExtension(Identity, Spki), critical);

    internal static X509Extension Extension(byte[] content, bool critical = false) => new(TlsCertificate.ExtensionId, content, critical);

    /// <summary>A self-signed certificate of <see cref="Key"/>, valid for a year, in DER.</summary>
    internal byte[] Make(params IReadOnlyList<X509Extension> extensions)
    {
        CertificateRequest request = new("CN=test", Key, HashAlgorithmName.SHA256);
        foreach (X509Extension extension in extensions)
        {
            request.CertificateExtensions.Add(extension);
        }

        using X509Certificate2 certificate = request.CreateSelfSigned(Now.AddDays(-1), Now.AddYears(1));
        return certificate.RawData;
    }

    /// <summary>The same with its fields changed and signed again; the algorithm is the third, the extensions are the last.</summary>
    internal byte[] Changed(Func<List<ReadOnlyMemory<byte>>, IEnumerable<ReadOnlyMemory<byte>>> change)
    {
        AsnReader parts = new AsnReader(Make(Extension()), AsnEncodingRules.DER).ReadSequence();
        AsnReader fields = parts.ReadSequence();
        List<ReadOnlyMemory<byte>> values = [];
        while (fields.HasData)
        {
            values.Add(fields.ReadEncodedValue());
        }

        byte[] signed = Sequence(change(values));
        AsnWriter signature = new(AsnEncodingRules.DER);
        signature.WriteBitString(Key.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        return Sequence([signed, parts.ReadEncodedValue(), signature.Encode()]);
    }

    internal static byte[] Sequence(IEnumerable<ReadOnlyMemory<byte>> values, Asn1Tag? tag = null)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence(tag))
        {
            foreach (ReadOnlyMemory<byte> value in values)
            {
                writer.WriteEncodedValue(value.Span);
            }
        }

        return writer.Encode();
    }

    /// <summary>The same, signed by another key that bears the same name.</summary>
    internal byte[] MakeSignedByAnother(X509Extension extension)
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=test", Key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(extension);
        using X509Certificate2 certificate = request.Create(
            new X500DistinguishedName("CN=test"), X509SignatureGenerator.CreateForECDsa(other), Now.AddDays(-1), Now.AddYears(1), [1]);
        return certificate.RawData;
    }
}
