using FluentAssertions;
using Xunit;
using static Tapestry.Torch.torch;
using static Tapestry.Torch.torch.nn.functional;

namespace Tapestry.Torch.Tests.Rules;

/// <summary>Every fused kernel against the same thing composed of libtorch's own operators, forward and backward.</summary>
public sealed class FusedKernelTests : TorchTest
{
    // Odd lengths, several row blocks, more than one chunk of rows.
    [Theory]
    [InlineData(1, 8)]
    [InlineData(5, 33)]
    [InlineData(200, 64)]
    public void RMSNorm_is_the_composition(long rows, long size) => ShouldAgree(
        x => rms_norm(x[0], x[1], 1e-5),
        x => x[0] * (x[0].pow(2).mean([-1], keepdim: true) + 1e-5).rsqrt() * x[1],
        () => [Leaf(1, rows, size), Leaf(2, size)]);

    [Theory]
    [InlineData(3, 7)]
    [InlineData(130, 300)]
    public void SwiGLU_is_the_composition(long rows, long size) => ShouldAgree(
        x => swiglu(x[0]),
        x => x[0].narrow(-1, 0, size).silu() * x[0].narrow(-1, size, size),
        () => [(Input(1, rows, 2 * size) * 8).requires_grad_()]);

    [Theory]
    [InlineData(2, 3, 5, 8)]
    [InlineData(1, 4, 70, 16)]
    public void Rope_turns_pairs_by_their_angle(long batch, long heads, long time, long size) => ShouldAgree(
        x => rope(x[0].transpose(1, 2), x[1], x[2]),
        x => Turned(x[0].transpose(1, 2), x[1], x[2]),
        () => [Leaf(1, batch, time, heads, size), .. Tables(time, size)]);

    [Theory]
    [InlineData(2, 4, 4, 5, 5, 8)]
    [InlineData(1, 4, 2, 150, 150, 16)]
    [InlineData(2, 6, 1, 65, 129, 8)]
    [InlineData(1, 2, 2, 1, 40, 8)]
    public void Causal_attention_is_the_composition(long batch, long heads, long keyHeads, long time, long keys, long size) => ShouldAgree(
        x => scaled_dot_product_attention(x[0].transpose(1, 2), x[1].transpose(1, 2), x[2].transpose(1, 2), is_causal: true),
        x => Attended(x[0].transpose(1, 2), x[1].transpose(1, 2), x[2].transpose(1, 2)),
        () => [Leaf(1, batch, time, heads, size), Leaf(2, batch, keys, keyHeads, size), Leaf(3, batch, keys, keyHeads, size)]);

    [Fact]
    public void Attention_with_a_mask_or_without_any_is_the_composition()
    {
        Tensor q = Input(1, 1, 2, 6, 4);
        Tensor k = Input(2, 1, 2, 6, 4);
        Tensor v = Input(3, 1, 2, 6, 4);
        Tensor causal = ones([6, 6], @bool, Where).tril();
        Close(scaled_dot_product_attention(q, k, v, causal), Attended(q, k, v), 1e-5, "a mask of truth values");
        Close(scaled_dot_product_attention(q, k, v), (q.matmul(k.transpose(-2, -1)) * 0.5).softmax(-1).matmul(v), 1e-5, "no mask");
    }

    [Theory]
    [InlineData(2, 4, 2, 9, 8)]
    [InlineData(1, 3, 3, 140, 16)]
    public void Rotary_attention_is_its_parts(long batch, long heads, long keyHeads, long time, long size) => ShouldAgree(
        x => rotary_attention(x[0], x[1], x[2], heads, keyHeads),
        x =>
        {
            Tensor[] parts = x[0].view(batch, time, heads + (2 * keyHeads), size).transpose(1, 2).split([heads, keyHeads, keyHeads], 1);
            Tensor y = Attended(Turned(parts[0], x[1], x[2]), Turned(parts[1], x[1], x[2]), parts[2]);
            return y.transpose(1, 2).reshape(batch, time, heads * size);
        },
        () => [Leaf(1, batch, time, (heads + (2 * keyHeads)) * size), .. Tables(time, size)]);

    [Fact]
    public void Large_scores_do_not_overflow_and_small_ones_do_not_vanish()
    {
        Tensor q = full([1, 1, 3, 2], 100, device: Where);
        Tensor y = scaled_dot_product_attention(q, q, tensor([1f, 1f, 2f, 2f, 6f, 6f], [1, 1, 3, 2], device: Where), is_causal: true);
        ShouldBe(y, [1, 1, 1.5, 1.5, 3, 3]);
        ShouldBe(swiglu(tensor([-200f, 0f, 200f, 1f, 1f, 1f], [1, 6], device: Where)), [0, 0, 200], 1e-4);
    }

    [Fact]
    public void One_thread_and_two_give_the_same_bits()
    {
        float[] One(int threads)
        {
            set_num_threads(threads);
            Tensor x = Leaf(1, 3, 200, 8 * 16);
            Tensor gain = Leaf(2, 128);
            Tensor weight = Leaf(3, 96, 128);
            Tensor[] tables = Tables(200, 16);
            Tensor y = rotary_attention(rms_norm(x, gain), tables[0], tables[1], 4, 2);
            Tensor z = swiglu(linear(x, weight));
            (y.pow(2).sum() + z.pow(2).sum()).backward();
            return [.. y.ToArray<float>(), .. z.ToArray<float>(), .. x.grad!.ToArray<float>(), .. gain.grad!.ToArray<float>(), .. weight.grad!.ToArray<float>()];
        }

        One(1).Should().Equal(One(2));
    }

    [Fact]
    public void Autocast_writes_bf16_and_stays_close_to_FP32()
    {
        Tensor x = Leaf(1, 2, 40, 64);
        Tensor gain = Leaf(2, 64);
        Tensor weight = Leaf(3, 128, 64);
        Tensor[] tables = Tables(40, 16);
        Tensor Run() => swiglu(rotary_attention(linear(rms_norm(x, gain), weight), tables[0], tables[1], 4, 2));
        Tensor exact = Run();
        exact.sum().backward();
        float[] gradient = x.grad!.ToArray<float>();
        x.grad = null;
        Tensor narrow;
        using (autocast(Where.type))
        {
            narrow = Run();
        }

        narrow.dtype.Should().Be(bfloat16);
        narrow.sum().backward();
        Close(narrow, exact, 0.03, "the value");
        Close(x.grad!, tensor(gradient, x.shape), 0.05, "the gradient");
        x.grad!.dtype.Should().Be(float32);
    }

    private static Tensor[] Tables(long time, long size)
    {
        float[] angles = [.. Enumerable.Range(0, (int)(time * size / 2)).Select(i => (float)(i / (size / 2) * Math.Pow(100, -2.0 * (i % (size / 2)) / size)))];
        Tensor angle = tensor(angles, [time, size / 2], device: Where);
        return [angle.cos(), angle.sin()];
    }

    private static Tensor Turned(Tensor x, Tensor cosine, Tensor sine)
    {
        Tensor[] halves = x.split([x.size(3) / 2, x.size(3) / 2], 3);
        return cat([(halves[0] * cosine) - (halves[1] * sine), (halves[1] * cosine) + (halves[0] * sine)], -1);
    }

    private static Tensor Attended(Tensor q, Tensor k, Tensor v)
    {
        long group = q.size(1) / k.size(1);
        Tensor keys = k.repeat_interleave(group, 1);
        Tensor values = v.repeat_interleave(group, 1);
        Tensor hidden = ones([q.size(2), k.size(2)], @bool, Where).tril(k.size(2) - q.size(2)).logical_not();
        Tensor scores = (q.matmul(keys.transpose(-2, -1)) / Math.Sqrt(q.size(3))).masked_fill(hidden, double.NegativeInfinity);
        return scores.softmax(-1).matmul(values);
    }
}
