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
