using FluentAssertions;
using Tapestry.Torch.Native;
using Xunit;
using static Tapestry.Torch.torch;

namespace Tapestry.Torch.Tests.Rules;

/// <summary>Whatever goes wrong beyond the boundary is one exception, which names the operator and the shapes.</summary>
public sealed class ErrorTests : TorchTest
{
    [Fact]
    public void Shapes_that_do_not_fit_are_named_with_the_operator()
    {
        TorchException error = FluentActions.Invoking(() => zeros(2, 3).matmul(zeros(4, 5))).Should().Throw<TorchException>().Which;
        error.Operation.Should().Be("matmul");
        error.Message.Should().Contain("Float32[2, 3]").And.Contain("Float32[4, 5]").And.Contain(error.NativeText);
        error.NativeText.Should().NotContain("frame #", "people get libtorch's words, not its stack");
    }

    [Fact]
    public void A_disposed_tensor_is_refused_by_name()
    {
        Tensor x = zeros(2);
        x.Dispose();
        x.Dispose();
        FluentActions.Invoking(() => ones(2).add(x)).Should().Throw<TorchException>().Which.Message.Should().Contain("add").And.Contain("zeros").And.Contain("disposed");
        FluentActions.Invoking(() => cat([ones(2), x])).Should().Throw<TorchException>().Which.Message.Should().Contain("cat").And.Contain("disposed");
    }

    [Fact]
    public void Wrong_element_types_are_refused()
    {
        FluentActions.Invoking(() => nn.functional.embedding(zeros(2), zeros(3, 3))).Should().Throw<TorchException>().Which.Operation.Should().Be("embedding");
        FluentActions.Invoking(() => zeros(2).AsSpan<double>()).Should().Throw<TorchException>().WithMessage("*Float32*Double*");
        FluentActions.Invoking(() => zeros(2, 3).t().AsSpan<float>()).Should().Throw<TorchException>().WithMessage("*contiguous*");
        FluentActions.Invoking(() => tensor([1f, 2f], [3])).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => zeros(2).item<float>()).Should().Throw<TorchException>();
    }

    [Fact]
    public void A_device_that_is_not_there_is_an_error_and_not_a_crash()
    {
        Device.Parse("cuda:1").Should().Be(new Device(DeviceType.CUDA, 1));
        FluentActions.Invoking(() => Device.Parse("tpu")).Should().Throw<ArgumentException>();
        if (!cuda.is_available())
        {
            FluentActions.Invoking(() => zeros(2, device: CUDA)).Should().Throw<TorchException>();
        }
    }

    [Fact]
    public void Memory_that_is_not_there_is_told_apart() =>
        FluentActions.Invoking(() => empty([1L << 50])).Should().Throw<TorchException>().Which.IsOutOfMemory.Should().BeTrue();

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    [InlineData(3, 3)]
    public void Every_kind_of_native_exception_becomes_a_status(int kind, int status)
    {
        Shim.tap_throw(kind).Should().Be(status);
        TorchException.Of(status, "throw").NativeText.Should().NotBeEmpty();
    }

    [Fact]
    public void Fused_kernels_say_what_they_need()
    {
        FluentActions.Invoking(() => nn.functional.rms_norm(zeros(2, 3), zeros(4))).Should().Throw<TorchException>().WithMessage("*rms_norm*last dimension*");
        FluentActions.Invoking(() => nn.functional.swiglu(zeros(2, 3))).Should().Throw<TorchException>().WithMessage("*even*");
        FluentActions.Invoking(() => nn.functional.rope(zeros([1, 1, 2, 4]), zeros(3, 2), zeros(3, 2))).Should().Throw<TorchException>().WithMessage("*[2, 2]*");
        FluentActions.Invoking(() => nn.functional.rotary_attention(zeros([1, 2, 10]), zeros(2, 1), zeros(2, 1), 2, 1)).Should().Throw<TorchException>();
    }

    [Fact]
    public void The_library_is_found_and_its_speed_is_reported()
    {
        set_num_threads(1);
        is_available(out string reason).Should().BeTrue(reason);
        RuntimeReport report = torch.report();
        report.Threads.Should().Be(1);
        report.ComputeClass.Should().Contain(report.TorchVersion).And.EndWith("/cpu");
        report.MatmulGflops.Should().BePositive();
        report.Warning.Should().NotContain("bypass", "libtorch must multiply through the shim");
    }
}
