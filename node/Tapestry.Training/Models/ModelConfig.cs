using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace Tapestry.Training.Models;

/// <summary>The shape of a Llama-family decoder: everything that decides how many parameters there are and what they mean.</summary>
/// <remarks>specs/60-training.md, section 1.</remarks>
public sealed record ModelConfig
{
    /// <summary>The most parameters a model may have: one flat vector must fit a span.</summary>
    public const long ParametersMax = int.MaxValue;

    /// <summary>Rows of the embedding, V; 260 for bytes with specials. 2 to 2^20.</summary>
    public int Vocabulary { get; init; } = 260;

    /// <summary>Hidden size, d; a multiple of <see cref="Heads"/>. 1 to 2^16.</summary>
    public required int Width { get; init; }

    /// <summary>Blocks, L. 1 to 1024.</summary>
    public required int Layers { get; init; }

    /// <summary>Query heads, h; the width of a head, d / h, is even. 1 to 1024.</summary>
    public required int Heads { get; init; }

    /// <summary>Key and value heads, k; divides <see cref="Heads"/>. 1 to <see cref="Heads"/>.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Inner width of SwiGLU, f. 1 to 2^18.</summary>
    public required int FeedForward { get; init; }

    /// <summary>Longest sequence, T, in tokens. 2 to 2^20.</summary>
    public required int ContextTokens { get; init; }

    /// <summary>Base of the rotary frequencies. Default 10000; above 1.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Epsilon of RMSNorm. Default 1e-5; between 0 and 1, neither included.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Whether the output projection is the embedding. Default true.</summary>
    public bool TiedEmbeddings { get; init; } = true;

    /// <summary>Width of one head, d / h.</summary>
    [JsonIgnore]
    public int HeadWidth => Width / Heads;

    /// <summary>Refuses a shape that no model can have.</summary>
    /// <exception cref="ArgumentException">A field is out of range; the message names it, its value and the range.</exception>
    public void Validate()
    {
        Options.Require(Vocabulary is >= 2 and <= 1 << 20, nameof(Vocabulary), Vocabulary, "2 to 1048576");
        Options.Require(Width is >= 1 and <= 1 << 16, nameof(Width), Width, "1 to 65536");
        Options.Require(Layers is >= 1 and <= 1024, nameof(Layers), Layers, "1 to 1024");
        Options.Require(Heads is >= 1 and <= 1024, nameof(Heads), Heads, "1 to 1024");
        Options.Require(Width % Heads == 0, nameof(Width), Width, $"a multiple of Heads ({Heads})");
        Options.Require(HeadWidth % 2 == 0, nameof(Width), Width, $"an even multiple of Heads ({Heads}), for rotary pairs");
        Options.Require(KeyValueHeads >= 1 && KeyValueHeads <= Heads && Heads % KeyValueHeads == 0,
            nameof(KeyValueHeads), KeyValueHeads, $"a divisor of Heads ({Heads})");
        Options.Require(FeedForward is >= 1 and <= 1 << 18, nameof(FeedForward), FeedForward, "1 to 262144");
        Options.Require(ContextTokens is >= 2 and <= 1 << 20, nameof(ContextTokens), ContextTokens, "2 to 1048576");
        Options.Require(RopeTheta is > 1 and < 1e12, nameof(RopeTheta), RopeTheta, "above 1, below 1e12");
        Options.Require(NormEpsilon is > 0 and < 1, nameof(NormEpsilon), NormEpsilon, "above 0, below 1");
    }

    /// <summary>The fields as lines of "name=value" in a fixed order: what <see cref="Digest"/> is taken over.</summary>
    public string ToCanonicalText() => string.Create(CultureInfo.InvariantCulture, $"""
        vocabulary={Vocabulary}
        width={Width}
        layers={Layers}
        heads={Heads}
        keyValueHeads={KeyValueHeads}
        feedForward={FeedForward}
        contextTokens={ContextTokens}
        ropeTheta={RopeTheta:R}
        normEpsilon={NormEpsilon:R}
        tiedEmbeddings={(TiedEmbeddings ? "true" : "false")}

        """);

    /// <summary>SHA-256 of <see cref="ToCanonicalText"/>, 64 lower-case hexadecimal digits.</summary>
    public string Digest() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ToCanonicalText())));
}
