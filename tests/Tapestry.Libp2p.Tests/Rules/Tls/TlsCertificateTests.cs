using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FluentAssertions;
using Tapestry.Libp2p.Tls;
using Xunit;
using static Tapestry.Libp2p.Tests.Rules.Tls.Certificates;

namespace Tapestry.Libp2p.Tests.Rules.Tls;

/// <summary>Every check of libp2p/specs, tls/tls.md, "Peer Authentication", by a certificate that fails it alone.</summary>
public sealed class TlsCertificateTests : IDisposable
{
    private static readonly Asn1Tag Block = new(TagClass.ContextSpecific, 3, isConstructed: true);
    private static readonly byte[] Null = [5, 0];

    private readonly Certificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public void Our_own_certificate_proves_our_peer_id()
    {
        using TlsIdentity ours = new(_certificates.Identity, TimeProvider.System);
        Check(ours.Certificate, DateTimeOffset.UtcNow, out PeerId? peer).Should().Be(Libp2pFault.None);
        peer.Should().Be(_certificates.Identity.PeerId);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_extension_may_be_critical(bool critical) =>
        Check(_certificates.Make(_certificates.Extension(critical))).Should().Be(Libp2pFault.None);

    [Fact]
    public void Dates_must_hold_at_the_time_of_the_handshake()
    {
        byte[] certificate = _certificates.Make(_certificates.Extension());

        Check(certificate, Now.AddDays(-2), out _).Should().Be(Libp2pFault.TlsCertificateDates);
        Check(certificate, Now.AddYears(2), out _).Should().Be(Libp2pFault.TlsCertificateDates);
    }

    [Fact]
    public void A_certificate_without_the_extension_proves_nobody() =>
        Check(_certificates.Make()).Should().Be(Libp2pFault.TlsExtension);

    [Theory]
    [InlineData("")]
    [InlineData("3000")]
    [InlineData("30040401000400")]
    [InlineData("300704010004010005")]
    [InlineData("31060401000401")]
    public void A_malformed_extension_proves_nobody(string hex) =>
        Check(_certificates.Make(Extension(Convert.FromHexString(hex)))).Should().Be(Libp2pFault.TlsExtension);

    [Fact]
    public void Extensions_stand_once_and_end_with_their_value()
    {
        byte[] id = Written(writer => writer.WriteObjectIdentifier(TlsCertificate.ExtensionId));
        byte[] value = Written(writer => writer.WriteOctetString(_certificates.Extension().RawData));
        byte[] sound = Sequence([Sequence([Sequence([id, value])])], Block);
        byte[] longer = Sequence([Sequence([Sequence([id, value, Null])])], Block);
        byte[] behind = Sequence([Sequence([Sequence([id, value])]), Null], Block);

        Check(_certificates.Changed(fields => [.. fields.SkipLast(1), sound])).Should().Be(Libp2pFault.None);
        Check(_certificates.Changed(fields => [.. fields, sound])).Should().Be(Libp2pFault.Malformed);
        Check(_certificates.Changed(fields => [.. fields.SkipLast(1), longer])).Should().Be(Libp2pFault.Malformed);
        Check(_certificates.Changed(fields => [.. fields.SkipLast(1), behind])).Should().Be(Libp2pFault.Malformed);
    }

    [Fact]
    public void What_is_signed_names_the_algorithm_that_signed_it()
    {
        byte[] sha384 = Sequence([Written(writer => writer.WriteObjectIdentifier("1.2.840.10045.4.3.3"))]);

        Check(_certificates.Changed(fields => fields)).Should().Be(Libp2pFault.None);
        Check(_certificates.Changed(fields => [.. fields.Take(2), sha384, .. fields.Skip(3)])).Should().Be(Libp2pFault.TlsSelfSignature);
    }

    [Fact]
    public void Unknown_extensions_are_passed_over_unless_they_are_critical()
    {
        Check(_certificates.Make(new X509Extension("1.3.6.1.4.1.1", [5, 0], critical: false), _certificates.Extension())).Should().Be(Libp2pFault.None);
        Check(_certificates.Make(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true), _certificates.Extension())).Should().Be(Libp2pFault.None);
        Check(_certificates.Make(new X509Extension("1.3.6.1.4.1.1", [5, 0], critical: true), _certificates.Extension())).Should().Be(Libp2pFault.TlsCriticalExtension);
    }

    [Fact]
    public void A_signature_by_another_key_is_no_self_signature() =>
        Check(_certificates.MakeSignedByAnother(_certificates.Extension())).Should().Be(Libp2pFault.TlsSelfSignature);

    [Fact]
    public void An_identity_that_signed_another_key_proves_nobody()
    {
        using ECDsa other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] stolen = TlsCertificate.WriteExtension(_certificates.Identity, other.ExportSubjectPublicKeyInfo());

        Check(_certificates.Make(Extension(stolen))).Should().Be(Libp2pFault.TlsIdentitySignature);
    }

    [Fact]
    public void A_short_RSA_identity_is_refused()
    {
        using RSA rsa = RSA.Create(1024);
        byte[] spki = rsa.ExportSubjectPublicKeyInfo();
        byte[] key = [0x08, 0, 0x12, (byte)((spki.Length & 0x7F) | 0x80), (byte)(spki.Length >> 7), .. spki];
        byte[] signature = rsa.SignData(TlsCertificate.SignedBytes(_certificates.Spki), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        System.Formats.Asn1.AsnWriter writer = new(System.Formats.Asn1.AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteOctetString(key);
            writer.WriteOctetString(signature);
        }

        Check(_certificates.Make(Extension(writer.Encode()))).Should().Be(Libp2pFault.IdentityKeyRefused);
    }

    [Fact]
    public void Lengths_are_bounded_and_nothing_may_follow()
    {
        byte[] certificate = _certificates.Make(_certificates.Extension());

        Check([.. certificate, 0]).Should().Be(Libp2pFault.Malformed);
        Check(new byte[TlsCertificate.MaximumLength + 1]).Should().Be(Libp2pFault.TooLarge);
    }

    [Fact]
    public void No_part_of_a_certificate_and_no_certificate_with_a_byte_changed_proves_anybody()
    {
        byte[] certificate = _certificates.Make(_certificates.Extension());
        for (int length = 0; length < certificate.Length; length++)
        {
            Check(certificate[..length]).Should().Be(Libp2pFault.Malformed);
        }

        for (int place = 0; place < certificate.Length; place++)
        {
            byte[] changed = [.. certificate];
            changed[place] ^= 0x01;
            Check(changed).Should().NotBe(Libp2pFault.None, "byte {0} is signed, or frames what is", place);
        }
    }

    private static byte[] Written(Action<AsnWriter> write)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        write(writer);
        return writer.Encode();
    }

    private static Libp2pFault Check(byte[] certificate) => Check(certificate, Now, out _);

    private static Libp2pFault Check(byte[] certificate, DateTimeOffset now, out PeerId? peer)
    {
        Libp2pFault fault = TlsCertificate.Verify(certificate, now, out peer);
        (peer is null).Should().Be(fault != Libp2pFault.None);
        return fault;
    }
}
