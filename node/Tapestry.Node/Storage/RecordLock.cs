using System.Globalization;

namespace Tapestry.Node.Storage;

/// <summary>The note that says which process has the records open. RocksDB's own lock decides; this only names.</summary>
internal static class RecordLock
{
    private const string FileName = "OWNER";
    private const int TextLengthMax = 20;

    /// <summary>Notes this process as the owner.</summary>
    public static void WriteOwner(string folder) =>
        File.WriteAllText(Path.Combine(folder, FileName), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    /// <summary>The process id in the note; null where it cannot be read or is none.</summary>
    public static string? ReadOwner(string folder)
    {
        try
        {
            string text = File.ReadAllText(Path.Combine(folder, FileName));
            return text.Length is > 0 and < TextLengthMax && text.All(char.IsAsciiDigit) ? text : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
