using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Tapestry.Training.Formats;

/// <summary>An open safetensors file, checked.</summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int LengthBytes = 8;
    private const int ChunkElements = 1 << 16;

    private readonly FileStream _stream;
    private readonly long _bufferStart;

    private SafetensorsFile(FileStream stream, SafetensorsHeader header, long bufferStart)
    {
        _stream = stream;
        Header = header;
        _bufferStart = bufferStart;
    }

    /// <summary>What the file holds.</summary>
    public SafetensorsHeader Header { get; }

    /// <summary>Opens a file and checks its header against its length.</summary>
    /// <exception cref="InputFileException">Not a valid file.</exception>
    public static SafetensorsFile Open(string path)
    {
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            Span<byte> lengthBytes = stackalloc byte[LengthBytes];
            if (stream.Length < LengthBytes)
            {
                throw new InputFileException(path, 0, $"{stream.Length} bytes are too few for a safetensors file.");
            }

            stream.ReadExactly(lengthBytes);
            ulong headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
            if (headerBytes > SafetensorsHeader.HeaderBytesMax || (long)headerBytes > stream.Length - LengthBytes)
            {
                throw new InputFileException(path, 0,
                    $"the header claims {headerBytes} bytes of a file of {stream.Length}. Fetch the file again.");
            }

            byte[] json = new byte[headerBytes];
            stream.ReadExactly(json);
            long bufferStart = stream.Position;
            return new SafetensorsFile(stream, SafetensorsHeader.Parse(path, json, stream.Length - bufferStart), bufferStart);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads a tensor as FP32; BF16 and F16 are widened.</summary>
    /// <param name="entry">One of <see cref="SafetensorsHeader.Entries"/>.</param>
    /// <param name="values">The result: as many places as the tensor has elements.</param>
    /// <exception cref="InputFileException">The tensor is of another type.</exception>
    /// <exception cref="ArgumentException">The number of places is wrong.</exception>
    public void Read(SafetensorsEntry entry, Span<float> values)
    {
        ArgumentNullException.ThrowIfNull(entry);
        int elementBytes = SafetensorsHeader.ElementBytes(entry.Type);
        if ((entry.End - entry.Begin) / elementBytes != values.Length)
        {
            throw new ArgumentException($"\"{entry.Name}\" does not have {values.Length} elements.", nameof(values));
        }

        if (entry.Type is not (SafetensorsType.F32 or SafetensorsType.BF16 or SafetensorsType.F16))
        {
            throw new InputFileException(_stream.Name, _bufferStart + entry.Begin, $"\"{entry.Name}\" is {entry.Type}; only F32, BF16 and F16 are read.");
        }

        _stream.Position = _bufferStart + entry.Begin;
        byte[] chunk = new byte[Math.Min(ChunkElements, values.Length) * elementBytes];
        while (!values.IsEmpty)
        {
            int count = Math.Min(ChunkElements, values.Length);
            Span<byte> bytes = chunk.AsSpan(0, count * elementBytes);
            _stream.ReadExactly(bytes);
            Widen(entry.Type, bytes, values[..count]);
            values = values[count..];
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _stream.Dispose();

    private static void Widen(SafetensorsType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        if (type == SafetensorsType.F32)
        {
            MemoryMarshal.Cast<byte, float>(bytes).CopyTo(values); // Little-endian machines only, as all of .NET's here.
            return;
        }

        ReadOnlySpan<ushort> halves = MemoryMarshal.Cast<byte, ushort>(bytes);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = type == SafetensorsType.BF16
                ? BitConverter.UInt32BitsToSingle((uint)halves[i] << 16)
                : (float)BitConverter.UInt16BitsToHalf(halves[i]);
        }
    }
}
