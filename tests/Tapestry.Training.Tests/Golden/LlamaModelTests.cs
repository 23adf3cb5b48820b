using FluentAssertions;
using Tapestry.Torch;
using Tapestry.Training.Models;
using Xunit;
using static Tapestry.Torch.torch;

namespace Tapestry.Training.Tests.Golden;

[Collection(TorchCollection.Name)]
public sealed class LlamaModelTests
{
    private static readonly long[] Tokens = [256, 72, 101, 108, 108, 111, 44, 32, 195, 169, 257, 256, 65];

    public static TheoryData<bool> Shapes => [true, false];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Logits_are_those_of_the_slow_reference(bool tied)
    {
        ModelConfig config = Config(tied);
        float[] parameters = Lively(config);
        double[][] expected = new ReferenceLlama(config, parameters).Forward(Tokens[..12]);
        using LlamaModel model = Build(config, parameters);
        using DisposeScope scope = NewDisposeScope();

        float[] actual = model.forward(tensor(Tokens[..12], [1, 12])).ToArray<float>();

        double largest = actual.Zip(expected.SelectMany(row => row), (a, e) => Math.Abs(a - e)).Max();
        largest.Should().BeLessThan(2e-5, "FP32 against double over logits of size {0:F1}", expected.SelectMany(row => row).Max());
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Gradients_are_the_slopes_of_the_slow_reference(bool tied)
    {
        ModelConfig config = Config(tied);
        float[] parameters = Lively(config);
        using LlamaModel model = Build(config, parameters);
        using (NewDisposeScope())
        {
            Tensor loss = model.Loss(tensor(Tokens[..12], [1, 12]), tensor(Tokens[1..], [1, 12]));
            loss.backward();
            ((double)loss.item<float>()).Should().BeApproximately(new ReferenceLlama(config, parameters).Loss(Tokens), 1e-5);
        }

        float[] gradient = model.Flat.Gradients.ToArray<float>();
        const double Step = 1e-3;
        foreach (ParameterTensor tensor in model.Layout.Tensors)
        {
            // Along the gradient of one tensor, where the slope is its norm: one central difference tests all its elements.
            Range range = (int)tensor.Offset..(int)(tensor.Offset + tensor.Count);
            double norm = Math.Sqrt(gradient[range].Sum(value => (double)value * value));
            norm.Should().BeGreaterThan(1e-6, tensor.Name);
            double slope = (LossAlong(range, Step) - LossAlong(range, -Step)) / (2 * Step);
            slope.Should().BeApproximately(norm, (1e-3 * norm) + 1e-5, tensor.Name);

            double LossAlong(Range part, double step)
            {
                float[] moved = [.. parameters];
                for (int i = part.Start.Value; i < part.End.Value; i++)
                {
                    moved[i] += (float)(step * gradient[i] / norm);
                }

                return new ReferenceLlama(config, moved).Loss(Tokens);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Tokens_one_by_one_with_a_cache_give_the_logits_of_all_at_once(bool tied)
    {
        ModelConfig config = Config(tied);
        using LlamaModel model = Build(config, Lively(config));
        using KeyValueCache cache = new(config, CPU);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable inference = no_grad();
        float[] whole = model.forward(tensor(Tokens[..12], [1, 12])).ToArray<float>();
        List<float> parts = [.. model.Forward(tensor(Tokens[..5], [1, 5]), cache).ToArray<float>()];
        for (int t = 5; t < 12; t++)
        {
            parts.AddRange(model.Forward(tensor(Tokens[t..(t + 1)], [1, 1]), cache).ToArray<float>());
        }

        parts.Zip(whole, (part, all) => Math.Abs(part - all)).Max().Should().BeLessThan(1e-5f);
        cache.Count.Should().Be(12);
        FluentActions.Invoking(() => model.Forward(tensor(Tokens[..1], [1, 1]), cache)).Should().Throw<ArgumentException>().WithMessage("*context*");
    }

    [Fact]
    public void Rows_of_a_batch_do_not_see_each_other_and_no_token_sees_the_next()
    {
        using LlamaModel model = Build(TinyModel.Tied, Lively(TinyModel.Tied));
        using DisposeScope scope = NewDisposeScope();
        long[] other = [.. Tokens[..6], 1, 2, 3, 4, 5, 6];
        float[] both = model.forward(tensor([.. Tokens[..12], .. other], [2, 12])).ToArray<float>();
        float[] alone = model.forward(tensor(other, [1, 12])).ToArray<float>();

        both[(12 * 260)..].Zip(alone, (a, b) => Math.Abs(a - b)).Max().Should().BeLessThan(1e-5f);
        both[..(6 * 260)].Zip(alone, (a, b) => Math.Abs(a - b)).Max().Should().BeLessThan(1e-5f);
        both[(6 * 260)..(12 * 260)].Should().NotEqual(alone[(6 * 260)..]);
    }

    [Fact]
    public void The_flat_vector_is_the_model()
    {
        float[] parameters = Lively(TinyModel.Tied);
        using LlamaModel model = Build(TinyModel.Tied, parameters);
        float[] read = new float[parameters.Length];
        model.Flat.CopyTo(0, read);

        read.Should().Equal(parameters);
        model.Flat.Ranges.Select(range => (range.Name, range.Start, range.Count)).Should()
            .Equal(model.Layout.Tensors.Select(tensor => (tensor.Name, tensor.Offset, tensor.Count)));
    }

    private static ModelConfig Config(bool tied) => tied ? TinyModel.Tied : TinyModel.Untied;

    private static LlamaModel Build(ModelConfig config, float[] parameters)
    {
        LlamaModel model = new(config, CPU);
        model.Flat.CopyFrom(0, parameters);
        return model;
    }

    // Ten times the usual deviation, and gains other than one: otherwise attention is nearly uniform and gains untested.
    private static float[] Lively(ModelConfig config)
    {
        float[] parameters = TinyModel.Generate(config, 11);
        long decayed = new ParameterLayout(config).DecayedCount;
        for (int i = 0; i < parameters.Length; i++)
        {
            parameters[i] = i < decayed ? parameters[i] * 10 : 1 + (0.1f * (i % 7));
        }

        return parameters;
    }
}
