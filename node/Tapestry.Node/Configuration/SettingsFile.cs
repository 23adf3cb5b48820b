using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tapestry.Node.Configuration;

/// <summary>Writes tapestry.json: sections of keys, as the host's configuration reads them.</summary>
internal static class SettingsFile
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>The file's bytes.</summary>
    /// <param name="settings">Paths such as <c>training:threads</c>, with their values.</param>
    public static byte[] Write(IReadOnlyDictionary<string, string?> settings)
    {
        JsonObject root = [];
        foreach ((string path, string? value) in settings.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            string[] parts = path.Split(':');
            JsonObject section = root;
            foreach (string part in parts.AsSpan(0, parts.Length - 1))
            {
                section[part] ??= new JsonObject();
                section = section[part]!.AsObject();
            }

            section[parts[^1]] = value;
        }

        return JsonSerializer.SerializeToUtf8Bytes(root, Indented);
    }
}
