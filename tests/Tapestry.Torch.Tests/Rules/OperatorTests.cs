using FluentAssertions;
using Xunit;
using static Tapestry.Torch.torch;
using static Tapestry.Torch.torch.nn.functional;

namespace Tapestry.Torch.Tests.Rules;

/// <summary>Every operator against the obvious thing in C#: the binding passes the right arguments in the right order.</summary>
public sealed class OperatorTests : TorchTest
{
    private static readonly float[] X = Numbers(1, 12);
    private static readonly float[] Y = [.. Numbers(2, 12).Select(value => value + 2)];

    public static TheoryData<string, Func<Tensor, Tensor>, Func<double, double>> Unary => new()
    {
        { "neg", x => -x, x => -x },
        { "abs", x => x.abs(), Math.Abs },
        { "exp", x => x.exp(), Math.Exp },
        { "log", x => (x + 2).log(), x => Math.Log(x + 2) },
        { "sqrt", x => (x + 2).sqrt(), x => Math.Sqrt(x + 2) },
        { "rsqrt", x => (x + 2).rsqrt(), x => 1 / Math.Sqrt(x + 2) },
        { "reciprocal", x => (x + 2).reciprocal(), x => 1 / (x + 2) },
        { "sin", x => x.sin(), Math.Sin },
        { "cos", x => x.cos(), Math.Cos },
        { "tanh", x => x.tanh(), Math.Tanh },
        { "sigmoid", x => x.sigmoid(), x => 1 / (1 + Math.Exp(-x)) },
        { "relu", x => x.relu(), x => Math.Max(x, 0) },
        { "silu", x => x.silu(), x => x / (1 + Math.Exp(-x)) },
        { "add", x => x + 3, x => x + 3 },
        { "sub", x => x - 3, x => x - 3 },
        { "rsub", x => 3 - x, x => 3 - x },
        { "mul", x => x * 3, x => x * 3 },
        { "div", x => x / 3, x => x / 3 },
        { "pow", x => x.pow(3), x => x * x * x },
        { "clamp", x => x.clamp(-0.5, 0.5), x => Math.Clamp(x, -0.5, 0.5) },
        { "masked_fill", x => x.masked_fill(x.lt(0), 9), x => x < 0 ? 9 : x },
        { "where", x => where(x.ge(0), x, x * 2), x => x >= 0 ? x : x * 2 },
        { "isfinite", x => x.isfinite().to(float32), _ => 1 },
        { "logical_not", x => x.gt(0).logical_not().to(float32), x => x > 0 ? 0 : 1 },
        { "add_", x => x.clone().add_(1).mul_(2), x => (x + 1) * 2 },
        { "copy_", x => zeros(12, device: Where).copy_(x).sub_(x * 0.5), x => x / 2 },
        { "fill_", x => x.clone().fill_(4), _ => 4 },
    };

    public static TheoryData<string, Func<Tensor, Tensor, Tensor>, Func<double, double, double>> Binary => new()
    {
        { "add", (x, y) => x + y, (x, y) => x + y },
        { "sub", (x, y) => x - y, (x, y) => x - y },
        { "mul", (x, y) => x * y, (x, y) => x * y },
        { "div", (x, y) => x / y, (x, y) => x / y },
        { "maximum", (x, y) => x.maximum(y - 2), (x, y) => Math.Max(x, y - 2) },
        { "minimum", (x, y) => x.minimum(y - 2), (x, y) => Math.Min(x, y - 2) },
        { "eq", (x, y) => x.eq(y).to(float32), (_, _) => 0 },
        { "ne", (x, y) => x.ne(y).to(float32), (_, _) => 1 },
        { "lt", (x, y) => x.lt(y - 2).to(float32), (x, y) => x < y - 2 ? 1 : 0 },
        { "le", (x, y) => x.le(y).to(float32), (_, _) => 1 },
        { "add_ with a factor", (x, y) => x.clone().add_(y, 0.5), (x, y) => x + (0.5 * y) },
        { "mul_, div_", (x, y) => x.clone().mul_(y).div_(y), (x, _) => x },
    };

    [Theory]
    [MemberData(nameof(Unary))]
    public void Of_one_tensor(string name, Func<Tensor, Tensor> operation, Func<double, double> expected)
    {
        name.Should().NotBeEmpty();
        ShouldBe(operation(tensor(X, device: Where)), X.Select(value => expected(value)));
    }

    [Theory]
    [MemberData(nameof(Binary))]
    public void Of_two_tensors(string name, Func<Tensor, Tensor, Tensor> operation, Func<double, double, double> expected)
    {
        name.Should().NotBeEmpty();
        Tensor result = operation(tensor(X, device: Where), tensor(Y, device: Where));
        ShouldBe(result, X.Zip(Y, (x, y) => expected(x, y)));
    }

    [Fact]
    public void Shapes_are_rearranged()
    {
        Tensor x = arange(24, float32, Where).view(2, 3, 4);
        x.shape.Should().Equal(2, 3, 4);
        (x.dim(), x.size(-1), x.numel()).Should().Be((3, 4L, 24L));
        x.transpose(0, 2).shape.Should().Equal(4, 3, 2);
        x.transpose(0, 2).is_contiguous().Should().BeFalse();
        x.transpose(0, 2).contiguous().stride().Should().Equal(6, 2, 1);
        ShouldBe(x.permute(2, 0, 1).select(0, 1).reshape(-1), [1, 5, 9, 13, 17, 21]);
        ShouldBe(x.narrow(1, 1, 1).squeeze(1)[0], [4, 5, 6, 7]);
        ShouldBe(x.slice(2, 0, 4, 2).select(1, 0)[1], [12, 14]);
        x.unsqueeze(0).shape.Should().Equal(1, 2, 3, 4);
        x.narrow(0, 0, 1).expand(5, -1, -1).shape.Should().Equal(5, 3, 4);
        ShouldBe(cat([x[0][0], x[1][0]]), [0, 1, 2, 3, 12, 13, 14, 15]);
        stack([x[0], x[1]], 1).shape.Should().Equal(3, 2, 4);
        ShouldBe(x[0][0].repeat_interleave(2, 0), [0, 0, 1, 1, 2, 2, 3, 3]);
        ShouldBe(ones(2, 3, device: Where).tril(), [1, 0, 0, 1, 1, 0]);
        ShouldBe(ones(2, 3, device: Where).triu(1), [0, 1, 1, 0, 0, 1]);
    }

    [Fact]
    public void Elements_are_chosen()
    {
        Tensor x = arange(6, float32, Where).view(2, 3);
        ShouldBe(x.index_select(1, tensor([2L, 0L], device: Where)), [2, 0, 5, 3]);
        ShouldBe(x.gather(1, tensor([1L, 2L], [2, 1], device: Where)), [1, 5]);
        ShouldBe(embedding(tensor([1L, 1L], device: Where), x), [3, 4, 5, 3, 4, 5]);
        (Tensor values, Tensor indexes) = x.topk(2);
        ShouldBe(values, [2, 1, 5, 4]);
        indexes.ToArray<long>().Should().Equal(2, 1, 2, 1);
        x.argmax(1).ToArray<long>().Should().Equal(2, 2);
    }

    [Fact]
    public void Reductions_are_sums_means_and_extremes()
    {
        Tensor x = tensor([1f, 2f, 3f, 4f, 5f, 9f], [2, 3], device: Where);
        x.sum().item<float>().Should().Be(24);
        x.mean().item<double>().Should().Be(4);
        ShouldBe(x.sum([0]), [5, 7, 12]);
        x.mean([1], keepdim: true).shape.Should().Equal(2, 1);
        (x.max().item<int>(), x.min().item<int>()).Should().Be((9, 1));
        ShouldBe(x.amax([1]), [3, 9]);
        x.norm().item<double>().Should().BeApproximately(Math.Sqrt(136), 1e-5);
        ShouldBe(x.cumsum(1), [1, 3, 6, 4, 9, 18]);
        (x.gt(0).all().item<bool>(), x.gt(9).any().item<bool>()).Should().Be((true, false));
    }

    [Fact]
    public void Products_are_rows_times_columns()
    {
        Tensor a = tensor([1f, 2f, 3f, 4f], [2, 2], device: Where);
        Tensor b = tensor([5f, 6f, 7f, 8f], [2, 2], device: Where);
        ShouldBe(matmul(a, b), [19, 22, 43, 50]);
        ShouldBe(bmm(stack([a, b]), stack([b, a]))[1], [23, 34, 31, 46]);
        ShouldBe(linear(a, b, tensor([1f, -1f], device: Where)), [18, 22, 40, 52]);
        ShouldBe(a.t(), [1, 3, 2, 4]);
    }

    [Fact]
    public void Cross_entropy_is_the_mean_negative_log_likelihood()
    {
        Tensor logits = tensor([1f, 2f, 3f, 0f, 0f, 0f], [2, 3], device: Where);
        Tensor target = tensor([2L, 0L], device: Where);
        double first = Math.Log(Math.Exp(1) + Math.Exp(2) + Math.Exp(3)) - 3;
        double second = Math.Log(3);
        cross_entropy(logits, target).item<double>().Should().BeApproximately((first + second) / 2, 1e-6);
        ShouldBe(cross_entropy(logits, target, reduction: Reduction.None), [first, second]);
        cross_entropy(logits, tensor([2L, -100L], device: Where), reduction: Reduction.Sum).item<double>().Should().BeApproximately(first, 1e-6);
        ShouldBe(log_softmax(logits, 1).gather(1, target.unsqueeze(1)), [-first, -second]);
    }

    [Fact]
    public void Layer_norm_has_mean_0_and_variance_1()
    {
        Tensor y = layer_norm(Input(1, 3, 50), [50]);
        ShouldBe(y.mean([1]), [0, 0, 0]);
        ShouldBe(y.pow(2).mean([1]), [1, 1, 1], 1e-3);
        dropout(y, training: false).Should().NotBeNull();
        dropout(ones(1000, device: Where), 0.5).sum().item<double>().Should().BeInRange(800, 1200);
    }

    [Fact]
    public void Types_are_converted_and_scalars_keep_integers_integer()
    {
        Tensor x = tensor([1L, 2L], device: Where);
        (x + 1).dtype.Should().Be(int64);
        (x + 0.5).dtype.Should().Be(float32);
        x.to(bfloat16).to(float32).ToArray<float>().Should().Equal(1, 2);
        tensor([1f, 2f], dtype: int32).ToArray<int>().Should().Equal(1, 2);
        full([2], true, @bool).ToArray<bool>().Should().Equal(true, true);
        arange(1, 2, 0.25).ToArray<float>().Should().Equal(1, 1.25f, 1.5f, 1.75f);
        zeros(3, 2).bytes.Length.Should().Be(24);
    }

    [Fact]
    public void Random_numbers_repeat_with_their_seed()
    {
        manual_seed(5);
        float[] first = [.. randn([3]).ToArray<float>(), .. rand([3]).ToArray<float>(), .. zeros(3).normal_().ToArray<float>(), .. zeros(3).uniform_().ToArray<float>()];
        manual_seed(5);
        randn([3]).ToArray<float>().Should().Equal(first[..3]);
    }

    [Fact]
    public void Gradients_flow_where_they_should()
    {
        Tensor x = Leaf(1, 3);
        (x * x).sum().backward();
        ShouldBe(x.grad!, Numbers(1, 3).Select(value => 2.0 * value));
        using (no_grad())
        {
            is_grad_enabled().Should().BeFalse();
            (x * 2).requires_grad.Should().BeFalse();
            using (enable_grad())
            {
                (x * 2).requires_grad.Should().BeTrue();
            }
        }

        x.is_leaf.Should().BeTrue();
        (x * 2).is_leaf.Should().BeFalse();
        x.detach().requires_grad.Should().BeFalse();
        x.grad = null;
        x.grad.Should().BeNull();
    }
}
