using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Fuzz.Targets;

/// <summary>What relays and peers behind them say, and what autonat asks.</summary>
internal static class RelayTargets
{
    private const string VoucherDomain = "libp2p-relay-rsvp";

    private static readonly DateTimeOffset Expires = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);
    private static readonly ConnectionLimit Limit = new(TimeSpan.FromMinutes(2), 131_072);

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        FuzzTarget.Of<HopMessage>("relay-hop", HopMessage.TryRead, message => message.ToArray(), Hops) with { IsCanonical = false, LengthMax = HopMessage.MaximumLength + 100 },
        FuzzTarget.Of<StopMessage>("relay-stop", StopMessage.TryRead, message => message.ToArray(), Stops) with { IsCanonical = false, LengthMax = StopMessage.MaximumLength + 100 },
        FuzzTarget.Of<ReservationMessage>("relay-reservation", ReservationMessage.TryRead, message => message.ToArray(), Reservations) with { IsCanonical = false },
        FuzzTarget.Of<RelayVoucher>("relay-voucher", RelayVoucher.TryOpen, null, Vouchers) with { Weight = 4 },
        new FuzzTarget("relay-voucher-payload", [], OpenPayload, VoucherPayloads) { MemoryMax = static length => (32 * 1024) + (60L * length), Weight = 2 },
        new FuzzTarget("relay-parts", Decoders.Of(typeof(RelayParts), nameof(RelayParts.TryReadPeer)), ReadParts, Parts)
            .Reaching(typeof(RelayParts), nameof(RelayParts.TryReadLimit)),
        FuzzTarget.Of<AutonatMessage>("autonat", AutonatMessage.TryRead, null, Autonats) with { LengthMax = AutonatMessage.MaximumLength + 100 },
    ];

    /// <summary>Any bytes, signed as a voucher by a relay that means harm.</summary>
    private static RelayVoucher? OpenPayload(ReadOnlySpan<byte> input)
    {
        using Libp2pIdentity relay = IdentityTargets.Identity(8);
        SignedEnvelope envelope = SignedEnvelope.Seal(relay, VoucherDomain, [0x03, 0x02], input);
        return RelayVoucher.TryOpen(envelope.Encoded.Span, out RelayVoucher? voucher) ? voucher : null;
    }

    private static object? ReadParts(ReadOnlySpan<byte> input)
    {
        bool isPeer = RelayParts.TryReadPeer(input, out PeerId? peer);
        bool isLimit = RelayParts.TryReadLimit(input, out ConnectionLimit? limit);
        return isPeer || isLimit ? (peer, limit) : null;
    }

    private static byte[] Voucher()
    {
        using Libp2pIdentity relay = IdentityTargets.Identity(8);
        return RelayVoucher.Seal(relay, IdentityTargets.Peer, Expires).Encoded.ToArray();
    }

    private static IEnumerable<byte[]> Hops()
    {
        yield return new HopMessage { Type = HopMessageType.Reserve }.ToArray();
        yield return new HopMessage { Type = HopMessageType.Connect, Peer = IdentityTargets.Peer }.ToArray();
        yield return new HopMessage
        {
            Type = HopMessageType.Status,
            Reservation = new ReservationMessage(Expires, IdentityTargets.Addresses, Voucher()),
            Limit = Limit,
            Status = RelayStatus.Ok,
        }.ToArray();
    }

    private static IEnumerable<byte[]> Parts()
    {
        ProtobufWriter peer = new();
        peer.WriteBytes(1, IdentityTargets.Peer.Bytes);
        yield return peer.ToArray();
        ProtobufWriter limit = new();
        limit.WriteUInt64(1, 120);
        limit.WriteUInt64(2, ulong.MaxValue);
        yield return limit.ToArray();
    }

    private static IEnumerable<byte[]> Stops()
    {
        yield return new StopMessage { Type = StopMessageType.Connect, Peer = IdentityTargets.Peer, Limit = Limit }.ToArray();
        yield return new StopMessage { Type = StopMessageType.Status, Status = RelayStatus.ConnectionFailed }.ToArray();
    }

    private static IEnumerable<byte[]> Reservations() => [new ReservationMessage(Expires, IdentityTargets.Addresses, Voucher()).ToArray()];

    private static IEnumerable<byte[]> VoucherPayloads()
    {
        ProtobufWriter writer = new();
        using Libp2pIdentity relay = IdentityTargets.Identity(8);
        writer.WriteBytes(1, relay.PeerId.Bytes);
        writer.WriteBytes(2, IdentityTargets.Peer.Bytes);
        writer.WriteUInt64(3, (ulong)Expires.ToUnixTimeSeconds());
        yield return writer.ToArray();
    }

    private static IEnumerable<byte[]> Vouchers() => [Voucher()];

    private static IEnumerable<byte[]> Autonats()
    {
        yield return new AutonatMessage.Dial(IdentityTargets.Peer, IdentityTargets.Addresses).ToArray();
        yield return new AutonatMessage.Response(AutonatStatus.DialError, "nobody answers there", IdentityTargets.Addresses[0]).ToArray();
    }
}
