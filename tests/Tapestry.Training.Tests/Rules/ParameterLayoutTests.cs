using FluentAssertions;
using Tapestry.Training.Models;
using Xunit;

namespace Tapestry.Training.Tests.Rules;

public sealed class ParameterLayoutTests
{
    [Fact]
    public void Tensors_fill_the_vector_without_gap_and_matrices_come_first()
    {
        foreach (ModelConfig config in new[] { TinyModel.Tied, TinyModel.Untied })
        {
            ParameterLayout layout = new(config);
            long at = 0;
            foreach (ParameterTensor tensor in layout.Tensors)
            {
                tensor.Offset.Should().Be(at);
                (tensor.Offset < layout.DecayedCount).Should().Be(tensor.Kind != ParameterKind.Norm);
                at += tensor.Count;
            }

            at.Should().Be(layout.Count);
        }
    }

    [Fact]
    public void The_count_is_the_sum_that_the_architecture_gives()
    {
        const long Embedding = 260 * 16;
        const long Block = (16 * 16) + (8 * 16) + (8 * 16) + (16 * 16) + (3 * 24 * 16) + (2 * 16);

        new ParameterLayout(TinyModel.Tied).Count.Should().Be(Embedding + (2 * Block) + 16);
    }

    [Fact]
    public void Names_and_shapes_are_those_of_Hugging_Face()
    {
        ParameterLayout layout = new(TinyModel.Untied);

        layout.Tensors.Should().HaveCount((9 * 2) + 3);
        layout["model.embed_tokens.weight"].Shape().Should().Equal(260, 16);
        layout["model.layers.1.self_attn.k_proj.weight"].Shape().Should().Equal(4, 16);
        layout["model.layers.0.mlp.down_proj.weight"].Shape().Should().Equal(16, 24);
        layout["model.layers.1.post_attention_layernorm.weight"].Shape().Should().Equal(16);
        layout["lm_head.weight"].Shape().Should().Equal(260, 16);
        new ParameterLayout(TinyModel.Tied).Tensors.Should().NotContain(tensor => tensor.Name == "lm_head.weight");
    }

    [Fact]
    public void The_models_of_the_measurements_have_the_sizes_they_are_named_for()
    {
        ModelConfig bench = TinyModel.Tied with { Width = 256, Layers = 6, Heads = 4, KeyValueHeads = 4, FeedForward = 688, ContextTokens = 256 };

        new ParameterLayout(bench).Count.Should().Be(4_813_056);
    }
}
