using FluentAssertions;
using Tapestry.Torch.Modules;
using Tapestry.Torch.Optimisers;
using Xunit;
using static Tapestry.Torch.torch;

namespace Tapestry.Torch.Tests.Rules;

public sealed class LifetimeTests : TorchTest
{
    [Fact]
    public void A_scope_disposes_what_was_made_in_it_and_nothing_else()
    {
        long count = LiveTensors.Count;
        long bytes = LiveTensors.Bytes;
        Tensor kept;
        Tensor outer = zeros(4);
        using (DisposeScope scope = NewDisposeScope())
        {
            Tensor lost = zeros(100);
            kept = (lost + 1).MoveToOuterDisposeScope();
            scope.MoveToOuter(zeros(1)).Dispose();
            (LiveTensors.Count - count).Should().Be(3);
        }

        kept.IsDisposed.Should().BeFalse();
        kept.sum().item<float>().Should().Be(100);
        kept.Dispose();
        outer.Dispose();
        LiveTensors.Count.Should().Be(count + 1, "the sum belongs to the test's scope");
        LiveTensors.Bytes.Should().Be(bytes + 4);
    }

    [Fact]
    public void A_detached_tensor_outlives_every_scope()
    {
        Tensor kept;
        using (NewDisposeScope())
        {
            kept = ones(2).DetachFromDisposeScope();
        }

        kept.sum().item<float>().Should().Be(2);
        kept.Dispose();
    }

    [Fact]
    public void Scopes_end_in_reverse_order()
    {
        DisposeScope outer = NewDisposeScope();
        DisposeScope inner = NewDisposeScope();
        FluentActions.Invoking(outer.Dispose).Should().Throw<InvalidOperationException>();
        inner.Dispose();
        outer.Dispose();
    }

    [Fact]
    public void A_thousand_steps_of_training_leave_nothing_behind()
    {
        using Linear layer = nn.Linear(8, 8);
        using FlatParameters flat = new(layer);
        using FlatAdamW optimiser = optim.AdamW(flat);
        long count = LiveTensors.Count;
        long bytes = LiveTensors.Bytes;
        for (int step = 0; step < 1000; step++)
        {
            using DisposeScope scope = NewDisposeScope();
            nn.functional.rms_norm(layer.forward(ones(4, 8)), ones(8)).sum().backward();
            optimiser.step(1);
            optimiser.zero_grad();
        }

        (LiveTensors.Count, LiveTensors.Bytes).Should().Be((count, bytes));
    }

    [Fact]
    public void Without_a_scope_the_collector_is_told()
    {
        long count = LiveTensors.Count;
        Thread worker = new(() =>
        {
            for (int i = 0; i < 2000; i++)
            {
                _ = zeros(1 << 18);
            }
        });
        worker.Start();
        worker.Join();
        (LiveTensors.Count - count).Should().BeLessThan(2000, "two gigabytes without a scope make the collector run");
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [Fact]
    public void The_leak_report_names_operator_and_shape()
    {
        LiveTensors.Watching = true;
        try
        {
            Tensor x = zeros(3, 5);
            Tensor y = x + 1;
            LiveTensors.Report().Should().Contain("1 x zeros Float32[3, 5]").And.Contain("1 x add Float32[3, 5]");
            y.Dispose();
            LiveTensors.Report().Should().NotContain("add");
        }
        finally
        {
            LiveTensors.Watching = false;
        }
    }

    [Fact]
    public void A_module_lists_tied_parameters_once_and_copies_its_state()
    {
        using Linear left = nn.Linear(2, 3);
        using Linear right = nn.Linear(2, 3);
        using ModuleList<nn.Module> both = nn.ModuleList<nn.Module>(left, left);
        both.named_parameters().Select(entry => entry.name).Should().Equal("0.weight", "0.bias");
        using (no_grad())
        {
            left.weight.fill_(7);
        }

        right.load_state_dict(left.state_dict());
        right.weight.ToArray<float>().Should().OnlyContain(value => value == 7);
        FluentActions.Invoking(() => right.load_state_dict(new Dictionary<string, Tensor>())).Should().Throw<ArgumentException>().WithMessage("*weight*");
    }

    [Fact]
    public void A_write_through_Access_between_forward_and_backward_is_noticed()
    {
        Tensor x = Leaf(1, 4);
        Tensor y = (x * x).sum();
        x.detach().Access<float>(values => values.Clear());
        FluentActions.Invoking(y.backward).Should().Throw<TorchException>().WithMessage("*inplace*");
    }
}
