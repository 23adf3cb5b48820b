using System.Collections.Immutable;
using System.Text.Json;

namespace Tapestry.Training.Formats;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Dimensions; none for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past the last byte.</param>
public sealed record SafetensorsEntry(string Name, SafetensorsType Type, ImmutableArray<long> Shape, long Begin, long End);

/// <summary>The checked header of a safetensors file.</summary>
/// <remarks>Format: eight bytes of header length, little-endian; JSON, padded with spaces; the tensors without gaps.</remarks>
public sealed class SafetensorsHeader
{
    /// <summary>The longest header that any reader accepts.</summary>
    public const long HeaderBytesMax = 100_000_000;

    private const string MetadataKey = "__metadata__";

    private SafetensorsHeader(ImmutableArray<SafetensorsEntry> entries, ImmutableSortedDictionary<string, string> metadata)
    {
        Entries = entries;
        Metadata = metadata;
    }

    /// <summary>All tensors, ascending by their place.</summary>
    public ImmutableArray<SafetensorsEntry> Entries { get; }

    /// <summary>Free text by key.</summary>
    public ImmutableSortedDictionary<string, string> Metadata { get; }

    /// <summary>Bytes of one element.</summary>
    /// <returns>0 for types of less than a byte, which this reader does not take.</returns>
    public static int ElementBytes(SafetensorsType type) => type switch
    {
        SafetensorsType.F4 or SafetensorsType.F6_E2M3 or SafetensorsType.F6_E3M2 => 0,
        <= SafetensorsType.F8_E5M2FNUZ => 1,
        <= SafetensorsType.BF16 => 2,
        <= SafetensorsType.F32 => 4,
        _ => 8,
    };

    /// <summary>Reads and checks a header.</summary>
    /// <param name="path">For messages.</param>
    /// <param name="json">The header, padding included.</param>
    /// <param name="bufferBytes">Bytes of the file behind the header.</param>
    /// <exception cref="InputFileException">A rule of the format is broken; the message says which.</exception>
    public static SafetensorsHeader Parse(string path, ReadOnlySpan<byte> json, long bufferBytes)
    {
        try
        {
            if (json.IsEmpty || json[0] != (byte)'{')
            {
                throw new FormatException("the header does not start with '{'");
            }

            return Parse(json, bufferBytes);
        }
        catch (Exception fault) when (fault is FormatException or JsonException or InvalidOperationException or OverflowException)
        {
            throw new InputFileException(path, 8, $"not a valid safetensors header ({fault.Message}). Fetch the file again.");
        }
    }

    private static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long bufferBytes)
    {
        Utf8JsonReader reader = new(json);
        HashSet<string> names = new(StringComparer.Ordinal);
        List<SafetensorsEntry> entries = [];
        ImmutableSortedDictionary<string, string> metadata = ImmutableSortedDictionary<string, string>.Empty;
        _ = reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            Require(names.Add(name), $"\"{name}\" appears twice");
            using JsonDocument value = JsonDocument.ParseValue(ref reader);
            if (name == MetadataKey)
            {
                metadata = ParseMetadata(value.RootElement);
            }
            else
            {
                entries.Add(ParseEntry(name, value.RootElement));
            }
        }

        _ = reader.Read(); // Only padding may follow.
        entries.Sort((left, right) => (left.Begin, left.End).CompareTo((right.Begin, right.End)));
        long at = 0;
        foreach (SafetensorsEntry entry in entries)
        {
            Require(entry.Begin == at, $"\"{entry.Name}\" starts at {entry.Begin}, not at {at}: a hole or an overlap");
            at = entry.End;
        }

        Require(at == bufferBytes, $"the tensors take {at} bytes, the file has {bufferBytes}");
        return new SafetensorsHeader([.. entries], metadata);
    }

    private static SafetensorsEntry ParseEntry(string name, JsonElement value)
    {
        Require(value.ValueKind == JsonValueKind.Object && value.EnumerateObject().Count() == 3, $"\"{name}\" has not three fields");
        string typeName = value.GetProperty("dtype"u8).GetString() ?? "null";
        Require(TryParseType(typeName, out SafetensorsType type), $"\"{name}\" has the unknown type {typeName}");
        ImmutableArray<long> shape = [.. value.GetProperty("shape"u8).EnumerateArray().Select(dimension => dimension.GetInt64())];
        long[] offsets = [.. value.GetProperty("data_offsets"u8).EnumerateArray().Select(offset => offset.GetInt64())];
        Require(offsets.Length == 2 && offsets[0] >= 0 && offsets[0] <= offsets[1], $"\"{name}\" has bad offsets");

        long bytes = ElementBytes(type);
        Require(bytes > 0, $"\"{name}\" has elements of less than a byte");
        foreach (long dimension in shape)
        {
            Require(dimension >= 0, $"\"{name}\" has a negative dimension");
            bytes *= dimension; // Checked: an overflow is caught above.
        }

        Require(offsets[1] - offsets[0] == bytes, $"\"{name}\" needs {bytes} bytes and has {offsets[1] - offsets[0]}");
        return new SafetensorsEntry(name, type, shape, offsets[0], offsets[1]);
    }

    private static bool TryParseType(string name, out SafetensorsType type)
    {
        if (name == "BOOL")
        {
            type = SafetensorsType.Bool;
            return true;
        }

        // Digits would parse as a number of the enumeration.
        return Enum.TryParse(name, ignoreCase: false, out type) && Enum.IsDefined(type) && char.IsAsciiLetterUpper(name[0]) && name != "Bool";
    }

    private static ImmutableSortedDictionary<string, string> ParseMetadata(JsonElement value)
    {
        Require(value.ValueKind == JsonValueKind.Object, "the metadata are not an object");
        ImmutableSortedDictionary<string, string>.Builder metadata =
            ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (JsonProperty property in value.EnumerateObject())
        {
            Require(property.Value.ValueKind == JsonValueKind.String, $"metadata \"{property.Name}\" is not a string");
            Require(metadata.TryAdd(property.Name, property.Value.GetString()!), $"metadata \"{property.Name}\" appears twice");
        }

        return metadata.ToImmutable();
    }

    private static void Require(bool holds, string problem)
    {
        if (!holds)
        {
            throw new FormatException(problem);
        }
    }
}
