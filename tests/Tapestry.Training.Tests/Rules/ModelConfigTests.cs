using FluentAssertions;
using Tapestry.Training.Models;
using Xunit;

namespace Tapestry.Training.Tests.Rules;

public sealed class ModelConfigTests
{
    public static TheoryData<ModelConfig, string> Impossible => new()
    {
        { TinyModel.Tied with { Width = 15 }, "Width is 15" },
        { TinyModel.Tied with { Width = 20 }, "even multiple" },
        { TinyModel.Tied with { Heads = 0 }, "Heads is 0" },
        { TinyModel.Tied with { KeyValueHeads = 3 }, "KeyValueHeads is 3" },
        { TinyModel.Tied with { KeyValueHeads = 8 }, "KeyValueHeads is 8" },
        { TinyModel.Tied with { Layers = 0 }, "Layers is 0" },
        { TinyModel.Tied with { Vocabulary = 1 }, "Vocabulary is 1" },
        { TinyModel.Tied with { FeedForward = -1 }, "FeedForward is -1" },
        { TinyModel.Tied with { ContextTokens = 1 }, "ContextTokens is 1" },
        { TinyModel.Tied with { RopeTheta = double.NaN }, "RopeTheta is NaN" },
        { TinyModel.Tied with { NormEpsilon = 0 }, "NormEpsilon is 0" },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void An_impossible_shape_is_refused_by_field_and_value(ModelConfig config, string problem)
    {
        Action layOut = () => _ = new ParameterLayout(config);

        layOut.Should().Throw<ArgumentException>().WithMessage($"*{problem}*");
    }

    [Fact]
    public void More_parameters_than_a_vector_holds_are_refused()
    {
        ModelConfig config = TinyModel.Tied with { Width = 8192, Layers = 80, Heads = 64, KeyValueHeads = 8, FeedForward = 28672 };
        Action layOut = () => _ = new ParameterLayout(config);

        layOut.Should().Throw<ArgumentException>().WithMessage("*parameters*");
    }

    [Fact]
    public void Every_field_changes_the_digest()
    {
        ModelConfig[] configs =
        [
            TinyModel.Tied, TinyModel.Tied with { Vocabulary = 261 }, TinyModel.Tied with { Width = 32 },
            TinyModel.Tied with { Layers = 3 }, TinyModel.Tied with { Heads = 8 }, TinyModel.Tied with { KeyValueHeads = 1 },
            TinyModel.Tied with { FeedForward = 25 }, TinyModel.Tied with { ContextTokens = 13 },
            TinyModel.Tied with { RopeTheta = 500 }, TinyModel.Tied with { NormEpsilon = 1e-6 },
            TinyModel.Tied with { TiedEmbeddings = false },
        ];

        configs.Select(config => config.Digest()).Should().OnlyHaveUniqueItems();
    }
}
