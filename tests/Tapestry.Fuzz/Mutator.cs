using System.Buffers.Binary;

namespace Tapestry.Fuzz;

/// <summary>Makes hostile inputs from honest ones.</summary>
/// <param name="target">The name of the target: part of every input's random stream.</param>
/// <param name="seeds">The honest ones, at least one.</param>
/// <param name="lengthMax">The longest input.</param>
/// <param name="seed">The seed of the run.</param>
internal sealed class Mutator(string target, IReadOnlyList<byte[]> seeds, int lengthMax, long seed)
{
    private const int ChangesMax = 6;
    private const int RandomInputBytes = 200;

    // Bytes with which formats of ours and of libp2p say that something long or overlong follows.
    private static readonly byte[][] Heads =
    [
        // MessagePack: arrays, binaries and texts of 2^16 - 1, 2^31 - 1 and 2^32 - 1; a map; nothing; an integer in a longer form.
        [0xdc, 0xff, 0xff], [0xdd, 0x7f, 0xff, 0xff, 0xff], [0xdd, 0xff, 0xff, 0xff, 0xff], [0xc5, 0xff, 0xff],
        [0xc6, 0x7f, 0xff, 0xff, 0xff], [0xc6, 0xff, 0xff, 0xff, 0xff], [0xdb, 0xff, 0xff, 0xff, 0xff], [0xde, 0xff, 0xff], [0xc0],
        [0xcf, 0, 0, 0, 0, 0, 0, 0, 1], [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], [0xd3, 0x80, 0, 0, 0, 0, 0, 0, 0],
        // Floats: -0, infinity, not a number.
        [0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0], [0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0], [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        // Varints: 2^63 - 1, 2^64 - 1, too long, not the shortest.
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], [0x80, 0x00], [0x81, 0x80, 0x00],
        // Protocol Buffers: fields of 2^31 - 1 and 2^32 - 1 bytes, field 0, a group, a field of 2^29 - 1.
        [0x0a, 0xff, 0xff, 0xff, 0xff, 0x07], [0x12, 0xff, 0xff, 0xff, 0xff, 0x0f], [0x02, 0x00], [0x0b], [0x0c], [0xfa, 0xff, 0xff, 0xff, 0x0f, 0x00],
        // UTF-8: overlong, a surrogate, beyond Unicode.
        [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],
    ];

    private static readonly byte[] EdgeBytes = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x0a, 0x20, 0x2f];
    private static readonly ulong[] EdgeNumbers =
        [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff];

    /// <summary>The input of an index; equal for equal target, seeds, seed and index.</summary>
    public byte[] Make(long index)
    {
        InputRandom random = new(seed, target, index);
        List<byte> bytes = random.Next(32) == 0
            ? RandomBytes(ref random, random.Next(RandomInputBytes))
            : [.. seeds[random.Next(seeds.Count)]];
        for (int changes = 1 + random.Next(ChangesMax); changes > 0; changes--)
        {
            Change(ref random, bytes);
        }

        if (bytes.Count > lengthMax)
        {
            bytes.RemoveRange(lengthMax, bytes.Count - lengthMax);
        }

        return [.. bytes];
    }

    private void Change(ref InputRandom random, List<byte> bytes)
    {
        int at = random.Next(bytes.Count + 1);
        bool hasByte = at < bytes.Count;
        switch (random.Next(12))
        {
            case 0 or 1 when hasByte:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2 when hasByte:
                bytes[at] = EdgeBytes[random.Next(EdgeBytes.Length)];
                break;
            case 3 when hasByte:
                bytes[at] = (byte)random.Next(256);
                break;
            case 4 when hasByte:
                bytes.RemoveRange(at, PartLength(ref random, bytes.Count - at));
                break;
            case 5 when hasByte:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 6 when hasByte:
                bytes.InsertRange(at, [.. bytes.Skip(at).Take(PartLength(ref random, bytes.Count - at))]);
                break;
            case 7 when hasByte:
                WriteNumber(ref random, bytes, at);
                break;
            case 8:
                bytes.InsertRange(at, Heads[random.Next(Heads.Length)]);
                break;
            case 9 when hasByte:
                byte[] head = Heads[random.Next(Heads.Length)];
                bytes.RemoveRange(at, Math.Min(head.Length, bytes.Count - at));
                bytes.InsertRange(at, head);
                break;
            case 10:
                byte[] other = seeds[random.Next(seeds.Count)];
                bytes.RemoveRange(at, bytes.Count - at);
                bytes.AddRange(other.Skip(Math.Min(at, random.Next(other.Length + 1))));
                break;
            default:
                bytes.InsertRange(at, RandomBytes(ref random, 1 + random.Next(16)));
                break;
        }
    }

    private static void WriteNumber(ref InputRandom random, List<byte> bytes, int at)
    {
        Span<byte> number = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(number, EdgeNumbers[random.Next(EdgeNumbers.Length)]);
        int length = 1 << random.Next(4);
        number = number[^length..];
        if (random.Next(2) == 0)
        {
            number.Reverse();
        }

        for (int index = 0; index < length && at + index < bytes.Count; index++)
        {
            bytes[at + index] = number[index];
        }
    }

    // Most parts are short; one in four is of any length.
    private static int PartLength(ref InputRandom random, int most) => 1 + random.Next(random.Next(4) == 0 ? most : Math.Min(most, 8));

    private static List<byte> RandomBytes(ref InputRandom random, int count)
    {
        List<byte> bytes = new(count);
        for (int index = 0; index < count; index++)
        {
            bytes.Add((byte)random.Next(256));
        }

        return bytes;
    }
}
