using Tapestry.Libp2p;

namespace Tapestry.Fuzz.Targets;

/// <summary>What peers sign and others pass on: envelopes, and the records of addresses in them.</summary>
internal static class RecordTargets
{
    private const string Domain = "fuzz";

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        new FuzzTarget("peer-record", Decoders.Of(typeof(PeerRecord), nameof(PeerRecord.TryRead)), ReadRecord, Records)
        {
            Encode = record => ((PeerRecord)record).ToArray(),
            IsCanonical = false,
            LengthMax = SignedEnvelope.MaximumLength + 100,
        },
        new FuzzTarget("signed-envelope", Decoders.Of(typeof(SignedEnvelope), nameof(SignedEnvelope.TryOpen)), OpenEnvelope, Envelopes)
        {
            Encode = envelope => ((SignedEnvelope)envelope).Encoded.ToArray(),
            IsCanonical = false,
            LengthMax = SignedEnvelope.MaximumLength + 100,
            Weight = 4,
        },
        new FuzzTarget("signed-peer-record", Decoders.Of(typeof(SignedPeerRecord), nameof(SignedPeerRecord.TryOpen)), OpenRecord, SignedRecords)
        {
            Encode = record => ((SignedPeerRecord)record).Envelope.Encoded.ToArray(),
            IsCanonical = false,
            Weight = 4,
        },
        new FuzzTarget("signed-peer-record-payload", [], OpenPayload, Records)
        {
            MemoryMax = static length => (32 * 1024) + (100L * length),
            Weight = 2,
        },
    ];

    private static ReadOnlySpan<byte> PayloadType => "/fuzz"u8;

    private static PeerRecord? ReadRecord(ReadOnlySpan<byte> input) => PeerRecord.TryRead(input, out PeerRecord? record) == RecordFault.None ? record : null;

    private static SignedEnvelope? OpenEnvelope(ReadOnlySpan<byte> input) =>
        SignedEnvelope.TryOpen(input, Domain, PayloadType, out SignedEnvelope? envelope) == RecordFault.None ? envelope : null;

    private static SignedPeerRecord? OpenRecord(ReadOnlySpan<byte> input) =>
        SignedPeerRecord.TryOpen(input, out SignedPeerRecord? record) == RecordFault.None ? record : null;

    /// <summary>Any bytes, signed as a record by a peer that means harm.</summary>
    private static SignedPeerRecord? OpenPayload(ReadOnlySpan<byte> input)
    {
        using Libp2pIdentity identity = IdentityTargets.Identity(7);
        return OpenRecord(SignedEnvelope.Seal(identity, SignedPeerRecord.Domain, SignedPeerRecord.PayloadType, input).Encoded.Span);
    }

    private static IEnumerable<byte[]> Records()
    {
        using Libp2pIdentity identity = IdentityTargets.Identity(7);
        yield return new PeerRecord(identity.PeerId, 1_790_000_000_000, IdentityTargets.Addresses).ToArray();
        yield return new PeerRecord(identity.PeerId, 0, []).ToArray();
    }

    private static IEnumerable<byte[]> Envelopes()
    {
        using Libp2pIdentity identity = IdentityTargets.Identity(7);
        yield return SignedEnvelope.Seal(identity, Domain, PayloadType, [1, 2, 3]).Encoded.ToArray();
    }

    private static IEnumerable<byte[]> SignedRecords()
    {
        using Libp2pIdentity identity = IdentityTargets.Identity(7);
        yield return SignedPeerRecord.Sign(identity, 9, IdentityTargets.Addresses).Envelope.Encoded.ToArray();
    }
}
