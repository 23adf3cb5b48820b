using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Tapestry.Libp2p.Tls;

/// <summary>Our certificate: a key of its own, signed by itself, with our identity in its extension. One for the life of a host.</summary>
/// <remarks>libp2p/specs, tls/tls.md, "Peer Authentication".</remarks>
internal sealed class TlsIdentity : IDisposable
{
    /// <summary>The application protocol that every libp2p peer names last; chosen, it says that the muxer is yet to be agreed on.</summary>
    internal const string Alpn = "libp2p";

    // As go-libp2p and js-libp2p have it: from before a clock that is a little slow to after anything that runs today.
    private static readonly TimeSpan ValidBefore = TimeSpan.FromHours(1);
    private const int ValidYears = 100;

    private readonly ECDsa _key;
    private readonly X509Certificate2 _certificate;
    private readonly SslStreamCertificateContext _context;

    internal TlsIdentity(Libp2pIdentity identity, TimeProvider time)
    {
        Time = time;
        _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=libp2p", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension(
            TlsCertificate.ExtensionId, TlsCertificate.WriteExtension(identity, _key.ExportSubjectPublicKeyInfo()), critical: false));
        DateTimeOffset now = time.GetUtcNow();
        _certificate = request.CreateSelfSigned(now - ValidBefore, now.AddYears(ValidYears));
        _context = SslStreamCertificateContext.Create(_certificate, additionalCertificates: null, offline: true);
    }

    internal TimeProvider Time { get; }

    /// <summary>Our certificate in DER.</summary>
    internal byte[] Certificate => _certificate.RawData;

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }

    internal SslServerAuthenticationOptions ServerOptions(IReadOnlyList<string> muxers, RemoteCertificateValidationCallback check) => new()
    {
        ServerCertificateContext = _context,
        ClientCertificateRequired = true,
        RemoteCertificateValidationCallback = check,
        EnabledSslProtocols = SslProtocols.Tls13,
        ApplicationProtocols = Protocols(muxers),

        // A resumed session shows no certificate, so nobody would be proved.
        AllowTlsResume = false,
        AllowRenegotiation = false,
        CertificateChainPolicy = NoChain(),
    };

    internal SslClientAuthenticationOptions ClientOptions(IReadOnlyList<string> muxers, RemoteCertificateValidationCallback check) => new()
    {
        // Empty: the specification wants no server name in the clear.
        TargetHost = "",
        ClientCertificateContext = _context,
        RemoteCertificateValidationCallback = check,
        EnabledSslProtocols = SslProtocols.Tls13,
        ApplicationProtocols = Protocols(muxers),
        AllowTlsResume = false,
        AllowRenegotiation = false,
        CertificateChainPolicy = NoChain(),
    };

    private static List<SslApplicationProtocol> Protocols(IReadOnlyList<string> muxers) =>
        [.. muxers.Select(muxer => new SslApplicationProtocol(muxer)), new SslApplicationProtocol(Alpn)];

    // The base library builds a chain before it asks us. It must not fetch anything that a stranger's certificate names.
    private static X509ChainPolicy NoChain() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
        VerificationFlags = X509VerificationFlags.AllFlags,
    };
}
