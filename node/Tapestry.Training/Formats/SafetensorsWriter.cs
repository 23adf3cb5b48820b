using System.Buffers.Binary;
using System.Text;
using System.Text.Json;

namespace Tapestry.Training.Formats;

/// <summary>A tensor to write.</summary>
/// <param name="Name">Its name; not "__metadata__".</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions.</param>
/// <param name="WriteTo">Writes the elements, C order, little-endian; called once, so that no copy of a model is needed.</param>
public sealed record SafetensorsTensor(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, Action<Stream> WriteTo)
{
    /// <summary>Bytes of the elements, by shape and type.</summary>
    public long ByteCount => Shape.Aggregate((long)SafetensorsHeader.ElementBytes(Type), (bytes, dimension) => bytes * dimension);
}

/// <summary>Writes safetensors files; the same tensors always give the same bytes.</summary>
public static class SafetensorsWriter
{
    private const int Alignment = 8;

    /// <summary>Writes tensors and metadata.</summary>
    /// <param name="output">Where to, a stream that knows its position; left open.</param>
    /// <param name="tensors">In any order; the file has them by type descending, then by name, as the reference does.</param>
    /// <param name="metadata">Free text by key; may be empty.</param>
    /// <exception cref="ArgumentException">A name appears twice, or a tensor writes more or fewer bytes than its shape has.</exception>
    public static void Write(Stream output, IEnumerable<SafetensorsTensor> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(tensors);
        ArgumentNullException.ThrowIfNull(metadata);
        SafetensorsTensor[] ordered = [.. tensors
            .OrderByDescending(tensor => tensor.Type)
            .ThenBy(tensor => Encoding.UTF8.GetBytes(tensor.Name), ByteOrder)];
        byte[] header = Header(ordered, metadata);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        output.Write(length);
        output.Write(header);
        foreach (SafetensorsTensor tensor in ordered)
        {
            long start = output.Position;
            tensor.WriteTo(output);
            if (output.Position - start != tensor.ByteCount)
            {
                throw new ArgumentException($"\"{tensor.Name}\" wrote {output.Position - start} bytes instead of {tensor.ByteCount}.");
            }
        }
    }

    private static Comparer<byte[]> ByteOrder { get; } =
        Comparer<byte[]>.Create((left, right) => left.AsSpan().SequenceCompareTo(right));

    private static byte[] Header(SafetensorsTensor[] tensors, IReadOnlyDictionary<string, string> metadata)
    {
        using MemoryStream json = new();
        // Relaxed escaping: the reference writes UTF-8, and nothing here is embedded in a page.
        JsonWriterOptions options = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (Utf8JsonWriter writer = new(json, options))
        {
            writer.WriteStartObject();
            if (metadata.Count > 0)
            {
                writer.WriteStartObject("__metadata__");
                foreach ((string key, string value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    writer.WriteString(key, value);
                }

                writer.WriteEndObject();
            }

            long offset = 0;
            HashSet<string> names = ["__metadata__"];
            foreach (SafetensorsTensor tensor in tensors)
            {
                if (!names.Add(tensor.Name))
                {
                    throw new ArgumentException($"The name \"{tensor.Name}\" is taken.");
                }

                WriteEntry(writer, tensor, offset);
                offset += tensor.ByteCount;
            }

            writer.WriteEndObject();
        }

        while (json.Length % Alignment != 0)
        {
            json.WriteByte((byte)' ');
        }

        return json.ToArray();
    }

    private static void WriteEntry(Utf8JsonWriter writer, SafetensorsTensor tensor, long offset)
    {
        writer.WriteStartObject(tensor.Name);
        writer.WriteString("dtype", tensor.Type == SafetensorsType.Bool ? "BOOL" : tensor.Type.ToString());
        writer.WriteStartArray("shape");
        foreach (long dimension in tensor.Shape)
        {
            writer.WriteNumberValue(dimension);
        }

        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets");
        writer.WriteNumberValue(offset);
        writer.WriteNumberValue(offset + tensor.ByteCount);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
