using System.Globalization;
using System.Security.Cryptography;

namespace Tapestry.Fuzz;

/// <summary>The saved inputs of every target: valid samples, and inputs that once found something.</summary>
/// <remarks>tests/Tapestry.Fuzz/Corpus, copied beside the program: a folder a target, files <c>valid-…</c> and <c>found-…</c>.</remarks>
internal static class Corpus
{
    private const string ValidPrefix = "valid-";

    /// <summary>Where the copy beside the program is.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Corpus");

    /// <summary>All inputs of a target, by file name.</summary>
    public static IReadOnlyList<byte[]> Of(FuzzTarget target) => [.. FilesOf(target).Select(File.ReadAllBytes)];

    /// <summary>The valid samples of a target, by file name.</summary>
    public static IReadOnlyList<byte[]> ValidOf(FuzzTarget target) =>
        [.. FilesOf(target).Where(file => Path.GetFileName(file).StartsWith(ValidPrefix, StringComparison.Ordinal)).Select(File.ReadAllBytes)];

    /// <summary>Writes the valid samples of a target anew.</summary>
    /// <param name="folder">The corpus in the checkout.</param>
    /// <param name="target">The target.</param>
    /// <returns>How many files.</returns>
    public static int WriteValid(string folder, FuzzTarget target)
    {
        string own = Path.Combine(folder, target.Name);
        Directory.CreateDirectory(own);
        foreach (string old in Directory.EnumerateFiles(own, ValidPrefix + "*"))
        {
            File.Delete(old);
        }

        int count = 0;
        foreach (byte[] sample in target.Samples())
        {
            File.WriteAllBytes(Path.Combine(own, string.Create(CultureInfo.InvariantCulture, $"{ValidPrefix}{count:D2}.bin")), sample);
            count++;
        }

        return count;
    }

    /// <summary>Saves the input of a finding.</summary>
    /// <returns>The file.</returns>
    public static string Save(string folder, FuzzFinding finding)
    {
        string own = Path.Combine(folder, finding.Target);
        Directory.CreateDirectory(own);
        string file = Path.Combine(own, $"found-{Convert.ToHexStringLower(SHA256.HashData(finding.Input).AsSpan(0, 4))}.bin");
        File.WriteAllBytes(file, finding.Input);
        return file;
    }

    private static IEnumerable<string> FilesOf(FuzzTarget target)
    {
        string own = Path.Combine(Folder, target.Name);
        return Directory.Exists(own) ? Directory.EnumerateFiles(own, "*.bin").Order(StringComparer.Ordinal) : [];
    }
}
