using System.Text;
using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Tests;

namespace Tapestry.Fuzz.Targets;

/// <summary>What auditors and joiners are given: leaves, rows, frontiers, notes, checkpoints; and the chunks of shards.</summary>
internal static class LedgerTargets
{
    private const int SampleSeed = 11;
    private const string Origin = "example.org/ledger";

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        FuzzTarget.Of<Leaf>("leaf", Leaf.TryRead, leaf => leaf.Encode().ToArray(), Leaves) with { LengthMax = Leaf.MaximumBytes + 100 },
        FuzzTarget.Of<MemberRow>("member-row", MemberRow.TryRead, row => row.Encode().ToArray(), Rows),
        FuzzTarget.Of<MerkleFrontier>("merkle-frontier", MerkleFrontier.TryRead, frontier => frontier.ToArray(), Frontiers),
        FuzzTarget.Of<SignedNote>("signed-note", SignedNote.TryParse, note => note.ToArray(), Notes),
        new FuzzTarget("checkpoint", Decoders.Of(typeof(Checkpoint), nameof(Checkpoint.TryVerify)), VerifyCheckpoint, Notes) { Weight = 4 },
        new FuzzTarget("note-key", [], input => NoteKey.TryParse(Encoding.UTF8.GetString(input), out NoteKey? key) ? key : null, Keys),
        new FuzzTarget("shard-chunk", Decoders.Of(typeof(MxInt8), nameof(MxInt8.TryDecode)), DecodeChunk, Chunks)
            .Reaching(typeof(Reference), nameof(Reference.TryDecodeMxInt8)),
    ];

    private static SigningKey Signer => Samples.Key(3);

    private static NoteKey Key { get; } = new(Origin, Samples.Key(3).PublicKey);

    private static Checkpoint? VerifyCheckpoint(ReadOnlySpan<byte> input) => Checkpoint.TryVerify(input, Key, out Checkpoint? checkpoint) ? checkpoint : null;

    private static IEnumerable<byte[]> Leaves()
    {
        Samples samples = new(SampleSeed);
        DecidedValue.Set set = samples.Set(1, Samples.Committee(Samples.Keys(4)));
        Leaf[] leaves =
        [
            new Leaf.Genesis(samples.Digest(), samples.Digest(), samples.Digest(), 1_790_000_000_000),
            new Leaf.Contribution(5, set.Included[0]),
            new Leaf.Decision(5, new RecordedDecision(4, AgreementKind.Result, samples.Digest())),
            new Leaf.Result(5, samples.Digest(), samples.Digest(), samples.Digest(), samples.Digest()),
            new Leaf.Void(6, AgreementKind.Set, 1_790_000_000_000, Digest.Zero),
        ];
        return leaves.Select(static leaf => leaf.Encode().ToArray()).Append(Entry());
    }

    /// <summary>An entry of a type that is only kept: any canonical values after the head.</summary>
    private static byte[] Entry()
    {
        System.Buffers.ArrayBufferWriter<byte> output = new();
        Protocol.Encoding.CanonicalWriter writer = new(output);
        writer.WriteArray(6);
        writer.WriteString("tapestry/leaf/v1");
        writer.WriteInteger(Leaf.FirstEntryType + 1);
        writer.WriteInteger(9);
        writer.WriteString("a catalogue entry, say");
        writer.WriteArray(2);
        writer.WriteDouble(0.5);
        writer.WriteBoolean(true);
        writer.WriteBinary([1, 2, 3]);
        return output.WrittenSpan.ToArray();
    }

    private static IEnumerable<byte[]> Rows()
    {
        MemberId member = new Samples(SampleSeed).Member();
        yield return MemberRow.New(member).Encode().ToArray();
        yield return new MemberRow(member, 7, 300, 5, 1L << 40).Encode().ToArray();
    }

    private static IEnumerable<byte[]> Frontiers()
    {
        MerkleFrontier frontier = new();
        yield return frontier.ToArray();
        for (int leaf = 0; leaf < 7; leaf++)
        {
            frontier.Append(MerkleTree.LeafHash([(byte)leaf]));
        }

        yield return frontier.ToArray();
    }

    private static IEnumerable<byte[]> Notes()
    {
        using SigningKey key = Signer;
        SignedNote note = new Checkpoint(Origin, 12, Digest.Of("root"u8)).Sign(key);
        yield return note.ToArray();
        yield return note.With(NoteSignature.Sign(note.Text, "witness.example.org", key)).ToArray();
    }

    private static IEnumerable<byte[]> Keys() => [Encoding.UTF8.GetBytes(Key.ToString())];

    /// <summary>The first byte names the codec; the rest is a chunk of as many values as it has room for.</summary>
    private static object? DecodeChunk(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return null;
        }

        Codec codec = input[0] % 2 == 0 ? Codec.Fp32 : Codec.MxInt8;
        input = input[1..];
        int elements = codec == Codec.Fp32 ? input.Length / sizeof(float) : input.Length;
        while (ShardCodec.Bytes(codec, elements) > input.Length)
        {
            elements--;
        }

        input = input[..ShardCodec.Bytes(codec, elements)];
        float[] values = new float[elements];
        bool isRead = ShardCodec.TryDecode(codec, input, values);
        if (codec == Codec.MxInt8)
        {
            CompareWithReference(input, values, isRead);
        }

        if (!isRead)
        {
            return null;
        }

        return Array.TrueForAll(values, float.IsFinite) ? values : throw new InvalidDataException("A chunk with a value that is not finite was accepted.");
    }

    private static void CompareWithReference(ReadOnlySpan<byte> chunk, float[] values, bool isRead)
    {
        int scales = MxInt8.Blocks(values.Length);
        float[] expected = new float[values.Length];
        bool isReadThere = Reference.TryDecodeMxInt8(chunk[..scales], chunk[scales..], expected);
        if (isRead != isReadThere || (isRead && !values.AsSpan().SequenceEqual(expected)))
        {
            throw new InvalidDataException("The kernel and the reference decode a chunk differently.");
        }
    }

    private static IEnumerable<byte[]> Chunks()
    {
        float[] values = [.. Enumerable.Range(0, 70).Select(static number => (number - 35) * 0.37f)];
        foreach (Codec codec in (Codec[])[Codec.Fp32, Codec.MxInt8])
        {
            byte[] chunk = new byte[ShardCodec.Bytes(codec, values.Length)];
            ShardCodec.TryEncode(codec, values, chunk);
            yield return [codec == Codec.Fp32 ? (byte)0 : (byte)1, .. chunk];
        }
    }
}
