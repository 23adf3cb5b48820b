namespace Tapestry.Training.Text;

/// <summary>How often each file of a corpus is sampled.</summary>
public enum CorpusBalance
{
    /// <summary>In proportion to its bytes.</summary>
    ByBytes,

    /// <summary>All files alike: what several languages need, whose scripts take one to three bytes a letter.</summary>
    ByFile,
}

/// <summary>How a corpus is read and split.</summary>
public sealed record CorpusOptions
{
    /// <summary>What one document is. Default: by the file's name.</summary>
    public DocumentRule Documents { get; init; } = DocumentRule.ByName;

    /// <summary>Share of each file's documents that is held out. Default 0.1; 0 to 0.9.</summary>
    public double HeldOutFraction { get; init; } = 0.1;

    /// <summary>Seed of the split. The same seed holds out the same document numbers in every file of as many documents.</summary>
    public long SplitSeed { get; init; }

    /// <summary>How often each file is sampled. Default: by bytes.</summary>
    public CorpusBalance Balance { get; init; }
}
