namespace Tapestry.Training.Optimization;

/// <summary>How well a model predicts held-out text.</summary>
/// <param name="Nats">Sum of the negative log-likelihoods of all predicted tokens, in nats.</param>
/// <param name="Tokens">Predicted tokens, closing specials included.</param>
/// <param name="TextBytes">Bytes of text among them.</param>
public readonly record struct Evaluation(double Nats, long Tokens, long TextBytes)
{
    /// <summary>Mean loss, in nats a token.</summary>
    public double NatsPerToken => Nats / Tokens;

    /// <summary>Bits to write one byte of the text with this model: comparable between tokenizers.</summary>
    public double BitsPerByte => Nats / (TextBytes * Math.Log(2));

    /// <summary>Both texts together.</summary>
    public static Evaluation operator +(Evaluation left, Evaluation right) =>
        new(left.Nats + right.Nats, left.Tokens + right.Tokens, left.TextBytes + right.TextBytes);

    /// <summary>Both texts together.</summary>
    public static Evaluation Add(Evaluation left, Evaluation right) => left + right;
}
