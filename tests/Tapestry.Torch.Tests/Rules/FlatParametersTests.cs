using FluentAssertions;
using Tapestry.Torch.Optimisers;
using Xunit;
using static Tapestry.Torch.torch;

namespace Tapestry.Torch.Tests.Rules;

public sealed class FlatParametersTests : TorchTest
{
    [Fact]
    public void Parameters_become_views_and_gradients_sum_into_the_flat_buffer()
    {
        using DisposeScope scope = NewDisposeScope();
        using Modules.Linear linear = nn.Linear(3, 2);
        using (no_grad())
        {
            linear.weight.copy_(tensor([1f, 2f, 3f, 4f, 5f, 6f], [2, 3]));
        }

        using FlatParameters flat = new(linear);
        flat.Count.Should().Be(8);
        flat.Ranges.Select(range => range.Name).Should().Equal("weight", "bias");
        flat.Values.ToArray<float>().Should().Equal(1, 2, 3, 4, 5, 6, 0, 0);

        flat.Access(6, 2, bias => bias.Fill(10));
        Tensor y = linear.forward(ones(1, 3));
        y.ToArray<float>().Should().Equal(16, 25);

        y.sum().backward();
        linear.forward(ones(1, 3)).sum().backward();
        flat.Gradients.ToArray<float>().Should().Equal(2, 2, 2, 2, 2, 2, 2, 2);

        flat.ZeroGradients();
        linear.weight.grad!.ToArray<float>().Should().OnlyContain(value => value == 0);
    }

    [Fact]
    public void A_flat_step_of_AdamW_equals_the_step_of_single_parameters()
    {
        using DisposeScope scope = NewDisposeScope();
        using Modules.Linear left = nn.Linear(5, 3);
        using Modules.Linear right = nn.Linear(5, 3);
        manual_seed(1);
        left.weight.requires_grad_(false).normal_().requires_grad_(true);
        right.load_state_dict(left.state_dict());
        using FlatParameters flat = new(left);
        using FlatAdamW fused = optim.AdamW(flat, lr: 0.1, weight_decay: 0.1, decays: _ => true);
        using AdamW single = optim.AdamW(right.parameters(), lr: 0.1, weight_decay: 0.1);
        for (int step = 0; step < 3; step++)
        {
            Tensor x = randn([4, 5]);
            fused.zero_grad();
            single.zero_grad();
            left.forward(x).pow(2).sum().backward();
            right.forward(x).pow(2).sum().backward();
            double norm = nn.utils.clip_grad_norm_(right.parameters(), 1);
            fused.step(maxNorm: 1).Should().BeApproximately(norm, 1e-5 * norm);
            single.step();
        }

        left.weight.ToArray<float>().Zip(right.weight.ToArray<float>()).Should().OnlyContain(pair => Math.Abs(pair.First - pair.Second) < 1e-6);
        left.bias!.ToArray<float>().Zip(right.bias!.ToArray<float>()).Should().OnlyContain(pair => Math.Abs(pair.First - pair.Second) < 1e-6);
    }
}
