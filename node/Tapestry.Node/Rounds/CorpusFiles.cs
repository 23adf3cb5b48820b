using Tapestry.Cli;
using Tapestry.Training;
using Tapestry.Training.Text;

namespace Tapestry.Node.Rounds;

/// <summary>Finds and opens a member's text.</summary>
internal static class CorpusFiles
{
    private const int FilesMax = 10_000;

    /// <summary>The text files at a path: itself, or every .txt and .jsonl below it, in ordinal order.</summary>
    /// <exception cref="CliException">There is none.</exception>
    public static IReadOnlyList<string> At(string path)
    {
        string[] files = Directory.Exists(path)
            ? [.. Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetExtension(file) is ".txt" or ".jsonl")
                .Take(FilesMax)
                .Order(StringComparer.Ordinal)]
            : File.Exists(path) ? [path] : [];
        return files.Length > 0 ? files : throw new CliException(
            "no-corpus", $"There is no text at {path}: no file, or a folder without .txt or .jsonl.",
            "Put UTF-8 text there, or name it with --set training:corpus=<path>.", ExitCode.Configuration);
    }

    /// <summary>Opens a corpus.</summary>
    /// <exception cref="CliException">A file cannot be used; the message names it and the byte.</exception>
    public static Corpus Open(IReadOnlyList<string> files, int heldOutPercent)
    {
        try
        {
            return Corpus.Open(files, PlanTrainer.Corpus(heldOutPercent));
        }
        catch (InputFileException error)
        {
            throw new CliException(
                "corpus-malformed", error.Message, "Repair or remove the file: text has to be UTF-8.", ExitCode.Configuration, error);
        }
    }
}
