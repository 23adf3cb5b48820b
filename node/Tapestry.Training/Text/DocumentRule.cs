namespace Tapestry.Training.Text;

/// <summary>What one document is. Documents are never split between training and held-out text.</summary>
public enum DocumentRule
{
    /// <summary>JSON Lines for files named .jsonl, paragraphs for every other.</summary>
    ByName,

    /// <summary>A run of lines up to a blank line; an article, in the texts of the demonstration.</summary>
    Paragraphs,

    /// <summary>The whole file.</summary>
    WholeFile,

    /// <summary>One JSON object a line, with the text in its string member "text".</summary>
    JsonLines,
}
