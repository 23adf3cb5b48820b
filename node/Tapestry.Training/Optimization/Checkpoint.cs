using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tapestry.Training.Models;

namespace Tapestry.Training.Optimization;

/// <summary>What a checkpoint is of, and the place of everything that counts.</summary>
/// <param name="Model">The model's shape.</param>
/// <param name="StepsDone">Steps of the run.</param>
/// <param name="OptimizerSteps">Steps that the moments have seen.</param>
/// <param name="SequencesDrawn">Windows that the sampler has drawn.</param>
public sealed record CheckpointHeader(ModelConfig Model, long StepsDone, long OptimizerSteps, long SequencesDrawn);

/// <summary>A trainer's state on disk: parameters, both moments, and three counts.</summary>
/// <remarks>
/// The file: 16 bytes of magic with the version; the header's length, four bytes little-endian; the header as JSON;
/// three vectors of P little-endian FP32; SHA-256 of all of it. specs/60-training.md, section 9.
/// </remarks>
public sealed class Checkpoint
{
    private const int HeaderBytesMax = 1 << 16;
    private const int DigestBytes = 32;
    private const int ChunkBytes = 1 << 22;

    private static ReadOnlySpan<byte> Magic => "tapestry-ckpt/1\n"u8;

    private static readonly JsonSerializerOptions Json = new()
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Puts the parts together.</summary>
    public Checkpoint(CheckpointHeader header, ReadOnlyMemory<float> parameters, ReadOnlyMemory<float> mean, ReadOnlyMemory<float> square)
    {
        Header = header;
        Parameters = parameters;
        Mean = mean;
        Square = square;
    }

    /// <summary>What it is of.</summary>
    public CheckpointHeader Header { get; }

    /// <summary>The parameters, [P].</summary>
    public ReadOnlyMemory<float> Parameters { get; }

    /// <summary>First moments, [P].</summary>
    public ReadOnlyMemory<float> Mean { get; }

    /// <summary>Second moments, [P].</summary>
    public ReadOnlyMemory<float> Square { get; }

    /// <summary>Writes the file: beside its place first, synced, then renamed, so that either the old or the new one is there.</summary>
    public void Write(string path)
    {
        string temporary = path + ".tmp";
        byte[] header = JsonSerializer.SerializeToUtf8Bytes(Header, Json);
        using (FileStream file = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        using (IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
        {
            Span<byte> length = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(length, header.Length);
            Append(file, hash, Magic);
            Append(file, hash, length);
            Append(file, hash, header);
            Append(file, hash, MemoryMarshal.AsBytes(Parameters.Span));
            Append(file, hash, MemoryMarshal.AsBytes(Mean.Span));
            Append(file, hash, MemoryMarshal.AsBytes(Square.Span));
            file.Write(hash.GetHashAndReset());
            file.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Reads and checks a file.</summary>
    /// <exception cref="InputFileException">Not a checkpoint, of another version, cut, or altered.</exception>
    public static Checkpoint Read(string path)
    {
        if (!File.Exists(path))
        {
            throw new InputFileException(path, -1, "there is no such checkpoint.");
        }

        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        CheckpointHeader header = ReadHeader(file, hash);
        long count = new ParameterLayout(header.Model).Count;
        long expected = file.Position + (3 * count * sizeof(float)) + DigestBytes;
        if (file.Length != expected)
        {
            throw new InputFileException(path, Math.Min(file.Length, expected),
                $"the checkpoint has {file.Length} bytes instead of {expected}: it was cut. Use an older one.");
        }

        float[] parameters = ReadVector(file, hash, count);
        float[] mean = ReadVector(file, hash, count);
        float[] square = ReadVector(file, hash, count);
        byte[] digest = new byte[DigestBytes];
        file.ReadExactly(digest);
        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(digest))
        {
            throw new InputFileException(path, -1, "the checkpoint's SHA-256 does not match: it was altered. Use an older one.");
        }

        return new Checkpoint(header, parameters, mean, square);
    }

    private static CheckpointHeader ReadHeader(FileStream file, IncrementalHash hash)
    {
        byte[] start = new byte[Magic.Length + sizeof(int)];
        int read = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        if (read < start.Length || !start.AsSpan(0, Magic.Length).SequenceEqual(Magic))
        {
            throw new InputFileException(file.Name, 0, "not a checkpoint of this version.");
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(start.AsSpan(Magic.Length));
        if (length is < 2 or > HeaderBytesMax || length > file.Length - file.Position)
        {
            throw new InputFileException(file.Name, Magic.Length, $"the checkpoint's header claims {length} bytes: it was cut or altered.");
        }

        byte[] json = new byte[length];
        file.ReadExactly(json);
        hash.AppendData(start);
        hash.AppendData(json);
        try
        {
            CheckpointHeader header = JsonSerializer.Deserialize<CheckpointHeader>(json, Json)!;
            header.Model.Validate();
            return header.StepsDone >= 0 && header.OptimizerSteps >= 0 && header.SequencesDrawn >= 0
                ? header
                : throw new ArgumentException("a count is negative");
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException or NullReferenceException)
        {
            throw new InputFileException(file.Name, start.Length, $"the checkpoint's header cannot be read ({fault.Message}).");
        }
    }

    private static float[] ReadVector(FileStream file, IncrementalHash hash, long count)
    {
        float[] values = new float[count];
        Span<float> rest = values;
        while (!rest.IsEmpty)
        {
            Span<float> chunk = rest[..Math.Min(rest.Length, ChunkBytes / sizeof(float))];
            Span<byte> bytes = MemoryMarshal.AsBytes(chunk);
            file.ReadExactly(bytes);
            hash.AppendData(bytes);
            rest = rest[chunk.Length..];
        }

        return values;
    }

    private static void Append(FileStream file, IncrementalHash hash, ReadOnlySpan<byte> bytes)
    {
        hash.AppendData(bytes);
        file.Write(bytes);
    }
}
