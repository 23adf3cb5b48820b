namespace Tapestry.Training.Runs;

/// <summary>How text is drawn from a model.</summary>
public sealed record GeneratorOptions
{
    /// <summary>Most tokens to draw. Default 200; 1 to 2^20.</summary>
    public int TokensMax { get; init; } = 200;

    /// <summary>Divides the logits: below 1 sharpens, above 1 flattens, 0 always takes the likeliest. Default 0.8; 0 to 10.</summary>
    public double Temperature { get; init; } = 0.8;

    /// <summary>Only the likeliest this many can be drawn; 0 for all. Default 40.</summary>
    public int TopK { get; init; } = 40;

    /// <summary>Seed of the draws: the same seed and model give the same text on the same machine.</summary>
    public long Seed { get; init; }

    /// <summary>Whether the closing special ends the text; otherwise it is never drawn. Default true.</summary>
    public bool StopAtEndOfText { get; init; } = true;

    /// <summary>Ends the text where it appears, and is left out; null for none.</summary>
    public string? Stop { get; init; }

    /// <summary>Refuses values that mean nothing.</summary>
    /// <exception cref="ArgumentException">A field is out of range; the message names it and its value.</exception>
    public void Validate()
    {
        Options.Require(TokensMax is >= 1 and <= 1 << 20, nameof(TokensMax), TokensMax, "1 to 1048576");
        Options.Require(Temperature is >= 0 and <= 10, nameof(Temperature), Temperature, "0 to 10");
        Options.Require(TopK >= 0, nameof(TopK), TopK, "0 or more");
        Options.Require(Stop is null || Stop.Length > 0, nameof(Stop), "empty", "some text, or absent");
    }
}
