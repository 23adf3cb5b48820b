using Tapestry.Libp2p;
using Tapestry.Libp2p.Tls;

namespace Tapestry.Fuzz.Targets;

/// <summary>What proves peers beside Noise and Ed25519: certificates of TLS, and keys that the base library computes with.</summary>
internal static class SecurityTargets
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    // The valid certificates of libp2p/specs, tls/tls.md, "Test vectors": Ed25519, ECDSA and secp256k1 identities.
    private static readonly string[] CertificatesInHex =
    [
        "308201ae30820156a0030201020204499602d2300a06082a8648ce3d040302302031123010060355040a13096c69627032702e696f310a3008060355"
            + "04051301313020170d3735303130313133303030305a180f34303936303130313133303030305a302031123010060355040a13096c69627032702e69"
            + "6f310a300806035504051301313059301306072a8648ce3d020106082a8648ce3d030107034200040c901d423c831ca85e27c73c263ba132721bb9d7"
            + "a84c4f0380b2a6756fd601331c8870234dec878504c174144fa4b14b66a651691606d8173e55bd37e381569ea37c307a3078060a2b0601040183a25a"
            + "0101046a3068042408011220a77f1d92fedb59dddaea5a1c4abd1ac2fbde7d7b879ed364501809923d7c11b90440d90d2769db992d5e6195dbb08e70"
            + "6b6651e024fda6cfb8846694a435519941cac215a8207792e42849cccc6cd8136c6e4bde92a58c5e08cfd4206eb5fe0bf909300a06082a8648ce3d04"
            + "03020346003043021f50f6b6c52711a881778718238f650c9fb48943ae6ee6d28427dc6071ae55e702203625f116a7a454db9c56986c82a25682f724"
            + "8ea1cb764d322ea983ed36a31b77",
        "308201f63082019da0030201020204499602d2300a06082a8648ce3d040302302031123010060355040a13096c69627032702e696f310a3008060355"
            + "04051301313020170d3735303130313133303030305a180f34303936303130313133303030305a302031123010060355040a13096c69627032702e69"
            + "6f310a300806035504051301313059301306072a8648ce3d020106082a8648ce3d030107034200040c901d423c831ca85e27c73c263ba132721bb9d7"
            + "a84c4f0380b2a6756fd601331c8870234dec878504c174144fa4b14b66a651691606d8173e55bd37e381569ea381c23081bf3081bc060a2b06010401"
            + "83a25a01010481ad3081aa045f0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004bf30511f909414ebdd3242178fd290f0"
            + "93a551cf75c973155de0bb5a96fedf6cb5d52da7563e794b512f66e60c7f55ba8a3acf3dd72a801980d205e8a1ad29f2044730450220064ea8124774"
            + "caf8f50e57f436aa62350ce652418c019df5d98a3ac666c9386a022100aa59d704a931b5f72fb9222cb6cc51f954d04a4e2e5450f8805fe8918f71ea"
            + "ae300a06082a8648ce3d04030203470030440220799395b0b6c1e940a7e4484705f610ab51ed376f19ff9d7c16757cfbf61b8d4302206205c03fbb0f"
            + "95205c779be86581d3e31c01871ad5d1f3435bcf375cb0e5088a",
        "308201ba3082015fa0030201020204499602d2300a06082a8648ce3d040302302031123010060355040a13096c69627032702e696f310a3008060355"
            + "04051301313020170d3735303130313133303030305a180f34303936303130313133303030305a302031123010060355040a13096c69627032702e69"
            + "6f310a300806035504051301313059301306072a8648ce3d020106082a8648ce3d030107034200040c901d423c831ca85e27c73c263ba132721bb9d7"
            + "a84c4f0380b2a6756fd601331c8870234dec878504c174144fa4b14b66a651691606d8173e55bd37e381569ea38184308181307f060a2b0601040183"
            + "a25a01010471306f0425080212210206dc6968726765b820f050263ececf7f71e4955892776c0970542efd689d2382044630440220145e15a991961f"
            + "0d08cd15425bb95ec93f6ffa03c5a385eedc34ecf464c7a8ab022026b3109b8a3f40ef833169777eb2aa337cfb6282f188de0666d1bcec2a4690dd30"
            + "0a06082a8648ce3d0403020349003046022100e1a217eeef9ec9204b3f774a08b70849646b6a1e6b8b27f93dc00ed58545d9fe022100b00dafa549d0"
            + "f03547878338c7b15e7502888f6d45db387e5ae6b5d46899cef0",
    ];

    // The public keys of libp2p/specs, peer-ids/peer-ids.md, "Test vectors": ECDSA, Ed25519, secp256k1, RSA.
    private static readonly string[] KeysInHex =
    [
        "0803125b3059301306072a8648ce3d020106082a8648ce3d03010703420004de3d300fa36ae0e8f5d530899d83abab44abf3161f162a4bc901d8e6ec"
            + "da020e8b6d5f8da30525e71d6851510c098e5c47c646a597fb4dcec034e9f77c409e62",
        "080112201ed1e8fae2c4a144b8be8fd4b47bf3d3b34b871c3cacf6010f0e42d474fce27e",
        "08021221037777e994e452c21604f91de093ce415f5432f701dd8cd1a7a6fea0e630bfca99",
        "080012a60430820222300d06092a864886f70d01010105000382020f003082020a0282020100e1beab071d08200bde24eef00d049449b07770ff9910"
            + "257b2d7d5dda242ce8f0e2f12e1af4b32d9efd2c090f66b0f29986dbb645dae9880089704a94e5066d594162ae6ee8892e6ec70701db0a6c445c0477"
            + "8eb3de1293aa1a23c3825b85c6620a2bc3f82f9b0c309bc0ab3aeb1873282bebd3da03c33e76c21e9beb172fd44c9e43be32e2c99827033cf8d0f0c6"
            + "06f4579326c930eb4e854395ad941256542c793902185153c474bed109d6ff5141ebf9cd256cf58893a37f83729f97e7cb435ec679d2e33901d27bb3"
            + "5aa0d7e20561da08885ef0abbf8e2fb48d6a5487047a9ecb1ad41fa7ed84f6e3e8ecd5d98b3982d2a901b4454991766da295ab78822add5612a2df83"
            + "bcee814cf50973e80d7ef38111b1bd87da2ae92438a2c8cbcc70b31ee319939a3b9c761dbc13b5c086d6b64bf7ae7dacc14622375d92a8ff9af7eb96"
            + "2162bbddebf90acb32adb5e4e4029f1c96019949ecfbfeffd7ac1e3fbcc6b6168c34be3d5a2e5999fcbb39bba7adbca78eab09b9bc39f7fa4b93411f"
            + "4cc175e70c0a083e96bfaefb04a9580b4753c1738a6a760ae1afd851a1a4bdad231cf56e9284d832483df215a46c1c21bdf0c6cfe951c18f1ee4078c"
            + "79c13d63edb6e14feaeffabc90ad317e4875fe648101b0864097e998f0ca3025ef9638cd2b0caecd3770ab54a1d9c6ca959b0f5dcbc90caeefc4135b"
            + "aca6fd475224269bbe1b0203010001",
    ];

    // A signature in DER of the least numbers: it reaches the verification, where it does not hold.
    private static readonly byte[] LeastSignature = [0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01];

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        new FuzzTarget("tls-certificate", Decoders.Of(typeof(TlsCertificate), nameof(TlsCertificate.Verify)), VerifyCertificate, () => CertificatesInHex.Select(Convert.FromHexString))
        {
            LengthMax = TlsCertificate.MaximumLength + 100,
            MemoryMax = static length => (64 * 1024) + (60L * length),
            Weight = 2,
        },
        new FuzzTarget("identity-signature", [], VerifySignature, () => KeysInHex.Select(key => Convert.FromHexString(key)))
        {
            MemoryMax = static length => (64 * 1024) + (60L * length),
            Weight = 2,
        },
    ];

    private static PeerId? VerifyCertificate(ReadOnlySpan<byte> input) =>
        TlsCertificate.Verify(input.ToArray(), Now, out PeerId? peer) == Libp2pFault.None ? peer : null;

    /// <summary>A key, and two signatures that are not its own.</summary>
    private static IdentityKey? VerifySignature(ReadOnlySpan<byte> input)
    {
        if (!IdentityKey.TryRead(input, out IdentityKey? key) || !key.IsUsable)
        {
            return null;
        }

        return key.Verify("message"u8, LeastSignature) || key.Verify("message"u8, input[..Math.Min(input.Length, 256)])
            ? throw new InvalidDataException("A signature that nobody made was accepted.")
            : key;
    }
}
