using Tapestry.Protocol;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;
using Tapestry.Protocol.Tests;

namespace Tapestry.Fuzz.Targets;

/// <summary>What members say to each other, and the bodies that they fetch: canonical, all of it.</summary>
internal static class MessageTargets
{
    private const int SampleSeed = 7;

    // Beyond the longest message, so that the bound itself is met.
    private const int LengthMax = Limits.MessageBytes + 1024;

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        new FuzzTarget("peer-message", Decoders.Of(typeof(PeerMessage), nameof(PeerMessage.TryRead)), ReadMessage, Messages)
        {
            Encode = message => ((PeerMessage)message).Encode().ToArray(),
            LengthMax = LengthMax,
            Weight = 48,
        },
        new FuzzTarget("peer-message-verified", Decoders.Of(typeof(PeerMessage), nameof(PeerMessage.TryVerify)), VerifyMessage, Messages)
        {
            Encode = message => ((PeerMessage)message).Encode().ToArray(),
            Weight = 2,
        },
        new FuzzTarget("message-header", Decoders.Of(typeof(MessageHeader), nameof(MessageHeader.TryRead)), ReadHeader, Messages),
        FuzzTarget.Of<SignedStatement>("signed-statement", SignedStatement.TryRead, statement => statement.Encode().ToArray(), Statements),
        FuzzTarget.Of<Certificate>("certificate", Certificate.TryRead, certificate => certificate.Encode().ToArray(), Certificates),
        FuzzTarget.Of<DecidedValue>("decided-value", DecidedValue.TryRead, value => value.Encode().ToArray(), Values),
        FuzzTarget.Of<Plan>("plan", Plan.TryRead, plan => plan.Encode().ToArray(), () => [Samples.Plan.Encode().ToArray()]),
        FuzzTarget.Of<Genesis>("genesis", Genesis.TryRead, genesis => genesis.Encode().ToArray(), () => [new Samples(SampleSeed).Genesis().Encode().ToArray()]),
        FuzzTarget.Of<RoundRecord>("round-record", RoundRecord.TryRead, record => record.Encode().ToArray(), Records),
        FuzzTarget.Of<Head>("head", Head.TryRead, head => head.Encode().ToArray(), Heads),
        FuzzTarget.Of<LocalUpdate>("local-update", LocalUpdateEncoding.TryRead, update => LocalUpdateEncoding.Encode(update).ToArray(), Updates),
        new FuzzTarget("receipts", Decoders.Of(typeof(ReceiptsEncoding), nameof(ReceiptsEncoding.TryRead)), ReadReceipts, Receipts),
    ];

    private static Committee Committee { get; } = Samples.Committee(Samples.Keys(4));

    private static object? ReadMessage(ReadOnlySpan<byte> input)
    {
        MessageFault fault = PeerMessage.TryRead(input, out PeerMessage? message);
        if (fault == MessageFault.None != (message is not null))
        {
            throw new InvalidDataException($"{fault} comes with {message}.");
        }

        return message is null || MessageHeader.TryRead(input, out _) == MessageFault.None
            ? message
            : throw new InvalidDataException("A message was read whose header is refused.");
    }

    private static PeerMessage? VerifyMessage(ReadOnlySpan<byte> input) =>
        PeerMessage.TryVerify(input, Committee, out PeerMessage? message) == MessageFault.None ? message : null;

    private static MessageHeader? ReadHeader(ReadOnlySpan<byte> input) =>
        MessageHeader.TryRead(input, out MessageHeader? header) == MessageFault.None ? header : null;

    private static object? ReadReceipts(ReadOnlySpan<byte> input) => ReceiptsEncoding.TryRead(input, out _, out Sequence<SignedStatement>? receipts) ? receipts : null;

    private static IEnumerable<byte[]> Messages() =>
        new Samples(SampleSeed).Messages().Select(static message => message.Encode().ToArray());

    private static IEnumerable<byte[]> Statements() => Some<PeerMessage.Signed>();

    private static IEnumerable<byte[]> Certificates() => Some<PeerMessage.Certified>();

    private static IEnumerable<byte[]> Some<T>()
        where T : PeerMessage =>
        new Samples(SampleSeed).Messages().OfType<T>().Select(static message => message.Encode().ToArray());

    private static IEnumerable<byte[]> Values() => new Samples(SampleSeed).Values().Select(static value => value.Encode().ToArray());

    private static IEnumerable<byte[]> Records()
    {
        ByteString[] values = [.. Values().Take(2).Select(static value => ByteString.CopyFrom(value))];
        ByteString certificate = ByteString.CopyFrom(Certificates().First());
        ByteString manifest = ByteString.CopyFrom(Messages().First());
        yield return new RoundRecord(values[0], certificate, values[1], certificate, [manifest, manifest]).Encode().ToArray();
        yield return new RoundRecord(values[0], certificate, ByteString.Empty, ByteString.Empty, []).Encode().ToArray();
    }

    private static IEnumerable<byte[]> Heads()
    {
        Samples samples = new(SampleSeed);
        Head head = new(
            9, samples.Digest(), true, samples.Digest(), ByteString.CopyFrom([1, 2, 3]), 1_790_000_000_000, [samples.Member(), samples.Member()],
            [new RecordedDecision(7, AgreementKind.Result, samples.Digest())], 1_790_000_000_001);
        yield return head.Encode().ToArray();
    }

    private static IEnumerable<byte[]> Updates()
    {
        Samples samples = new(SampleSeed);
        yield return LocalUpdateEncoding.Encode(new LocalUpdate(samples.Digest(), [samples.Digest(), samples.Digest()], samples.Digest(), 4096, 5.5, 4.25)).ToArray();
    }

    private static IEnumerable<byte[]> Receipts()
    {
        System.Buffers.ArrayBufferWriter<byte> output = new();
        Protocol.Encoding.CanonicalWriter writer = new(output);
        writer.WriteArray(2);
        writer.WriteInteger(-300);
        writer.WriteArray(1);
        writer.WriteBinary(Messages().ElementAt(1));
        yield return output.WrittenSpan.ToArray();
    }
}
