using System.Buffers;
using System.Text;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Fuzz.Targets;

/// <summary>What every libp2p stream begins with: varints, lengths, fields and the negotiation of a protocol.</summary>
internal static class WireTargets
{
    private const int MessageMax = 64 * 1024;

    // The pipe's own segment, and the part of a long message that is allocated before its first byte.
    private static readonly Func<int, long> PipeMemory = static length => (96 * 1024) + (20L * length);

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        new FuzzTarget("varint", Decoders.Of(typeof(Varint), nameof(Varint.TryRead)), ReadVarint, Varints) { LengthMax = 24 },
        new FuzzTarget("protobuf", [], ReadFields, Fields),
        new FuzzTarget("length-prefix", [], ReadMessages, Messages) { MemoryMax = PipeMemory, Weight = 8 },
        new FuzzTarget("multistream-respond", [], Respond, Proposals) { MemoryMax = PipeMemory, Weight = 8 },
        new FuzzTarget("multistream-propose", [], Propose, Answers) { MemoryMax = PipeMemory, Weight = 8 },
    ];

    /// <summary>Bytes after their length.</summary>
    public static byte[] Prefixed(ReadOnlySpan<byte> message)
    {
        Span<byte> prefix = stackalloc byte[Varint.MaximumLength];
        return [.. prefix[..Varint.Write(prefix, (ulong)message.Length)], .. message];
    }

    /// <summary>Runs what waits for nothing but the input; the faults that it declares count as refused.</summary>
    public static T? Finish<T>(ValueTask<T?> work)
        where T : class
    {
        try
        {
            return work.AsTask().GetAwaiter().GetResult();
        }
        catch (Libp2pException)
        {
            return null;
        }
    }

    private static object? ReadVarint(ReadOnlySpan<byte> input)
    {
        OperationStatus status = Varint.TryRead(input, out ulong value, out int length);
        OperationStatus ofSequence = Varint.TryRead(new ReadOnlySequence<byte>(input.ToArray()), out ulong again, out int lengthAgain);
        if (status != ofSequence || (status == OperationStatus.Done && (value != again || length != lengthAgain)))
        {
            throw new InvalidDataException($"A span gives {status}, {value}, {length}; a sequence {ofSequence}, {again}, {lengthAgain}.");
        }

        if (status != OperationStatus.Done)
        {
            return null;
        }

        Span<byte> encoded = stackalloc byte[Varint.MaximumLength];
        return encoded[..Varint.Write(encoded, value)].SequenceEqual(input[..length])
            ? value
            : throw new InvalidDataException($"{value} was read from another form than its own.");
    }

    private static object? ReadFields(ReadOnlySpan<byte> input)
    {
        ProtobufReader reader = new(input);
        int fields = 0;
        while (reader.TryReadTag())
        {
            switch (reader.Field % 3)
            {
                case 0:
                    reader.ReadUInt64();
                    break;
                case 1:
                    reader.ReadBytes(64);
                    break;
                default:
                    reader.SkipValue();
                    break;
            }

            // Each field takes at least a byte.
            if (++fields > input.Length)
            {
                throw new InvalidDataException("The reader does not go on.");
            }
        }

        return reader.Malformed ? null : fields;
    }

    private static object? ReadMessages(ReadOnlySpan<byte> input)
    {
        System.IO.Pipelines.PipeReader reader = PieceStream.Reader(input);
        object? last = null;
        while (Finish(LengthPrefix.ReadAsync(reader, MessageMax, CancellationToken.None)) is byte[] message)
        {
            last = message;
        }

        return last;
    }

    private static object? Respond(ReadOnlySpan<byte> input) =>
        Finish(MultistreamSelect.RespondAsync(PieceStream.Pipe(input), protocol => protocol == "/yamux/1.0.0", CancellationToken.None));

    private static string? Propose(ReadOnlySpan<byte> input) => Finish<string>(ProposeAsync(PieceStream.Reader(input)));

    private static async ValueTask<string?> ProposeAsync(System.IO.Pipelines.PipeReader input)
    {
        await MultistreamSelect.ReadAnswerAsync(input, "/noise", CancellationToken.None);
        return "/noise";
    }

    private static IEnumerable<byte[]> Varints() => new ulong[] { 0, 127, 128, 300, 1 << 21, long.MaxValue }.Select(value =>
    {
        byte[] bytes = new byte[Varint.LengthOf(value)];
        Varint.Write(bytes, value);
        return bytes;
    });

    private static IEnumerable<byte[]> Fields()
    {
        ProtobufWriter writer = new();
        writer.WriteUInt64(3, 300);
        writer.WriteBytes(1, [1, 2, 3]);
        writer.WriteText(2, "text");
        writer.WriteUInt64(3 << 20, ulong.MaxValue);
        yield return writer.ToArray();
    }

    private static IEnumerable<byte[]> Messages()
    {
        yield return [.. Prefixed([]), .. Prefixed([1, 2, 3]), .. Prefixed(new byte[300])];
    }

    private static IEnumerable<byte[]> Proposals()
    {
        yield return [.. Line("/multistream/1.0.0"), .. Line("/yamux/1.0.0"), 1, 2, 3];
        yield return [.. Line("/multistream/1.0.0"), .. Line("/mplex/6.7.0"), .. Line("/yamux/1.0.0")];
    }

    private static IEnumerable<byte[]> Answers()
    {
        yield return [.. Line("/multistream/1.0.0"), .. Line("/noise"), 0, 32];
    }

    private static byte[] Line(string text) => Prefixed(Encoding.UTF8.GetBytes(text + "\n"));
}
