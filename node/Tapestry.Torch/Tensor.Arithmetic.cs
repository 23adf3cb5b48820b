using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <content>Element by element; shapes broadcast as in PyTorch, and a new tensor is returned.</content>
public partial class Tensor
{
    private enum Comparison
    {
        Equal,
        NotEqual,
        Less,
        LessOrEqual,
        Greater,
        GreaterOrEqual,
    }

    /// <summary>x + y.</summary>
    public Tensor add(Tensor other) => Give(Shim.tap_add(Use(), other.Use(), out TensorHandle result), result, this, other);

    /// <summary>x + y.</summary>
    public Tensor add(Scalar other) => Give(Shim.tap_add_scalar(Use(), other, out TensorHandle result), result, this);

    /// <summary>x - y.</summary>
    public Tensor sub(Tensor other) => Give(Shim.tap_sub(Use(), other.Use(), out TensorHandle result), result, this, other);

    /// <summary>x - y.</summary>
    public Tensor sub(Scalar other) => Give(Shim.tap_sub_scalar(Use(), other, out TensorHandle result), result, this);

    /// <summary>x * y.</summary>
    public Tensor mul(Tensor other) => Give(Shim.tap_mul(Use(), other.Use(), out TensorHandle result), result, this, other);

    /// <summary>x * y.</summary>
    public Tensor mul(Scalar other) => Give(Shim.tap_mul_scalar(Use(), other, out TensorHandle result), result, this);

    /// <summary>x / y; integers give real numbers.</summary>
    public Tensor div(Tensor other) => Give(Shim.tap_div(Use(), other.Use(), out TensorHandle result), result, this, other);

    /// <summary>x / y; integers give real numbers.</summary>
    public Tensor div(Scalar other) => Give(Shim.tap_div_scalar(Use(), other, out TensorHandle result), result, this);

    /// <summary>x to the power y.</summary>
    public Tensor pow(Scalar exponent) => Give(Shim.tap_pow_scalar(Use(), exponent, out TensorHandle result), result, this);

    /// <summary>y - x.</summary>
    public Tensor rsub(Scalar other) => Give(Shim.tap_rsub_scalar(Use(), other, out TensorHandle result), result, this);

    /// <summary>The larger of x and y.</summary>
    public Tensor maximum(Tensor other) => Give(Shim.tap_maximum(Use(), other.Use(), out TensorHandle result), result, this, other);

    /// <summary>The smaller of x and y.</summary>
    public Tensor minimum(Tensor other) => Give(Shim.tap_minimum(Use(), other.Use(), out TensorHandle result), result, this, other);

    /// <summary>x, no lower than <paramref name="min"/> and no higher than <paramref name="max"/>.</summary>
    public Tensor clamp(Scalar min, Scalar max) => Give(Shim.tap_clamp(Use(), min, max, out TensorHandle result), result, this);

    /// <summary>-x.</summary>
    public Tensor neg() => Give(Shim.tap_neg(Use(), out TensorHandle result), result, this);

    /// <summary>The absolute value.</summary>
    public Tensor abs() => Give(Shim.tap_abs(Use(), out TensorHandle result), result, this);

    /// <summary>e to the power x.</summary>
    public Tensor exp() => Give(Shim.tap_exp(Use(), out TensorHandle result), result, this);

    /// <summary>The natural logarithm.</summary>
    public Tensor log() => Give(Shim.tap_log(Use(), out TensorHandle result), result, this);

    /// <summary>The square root.</summary>
    public Tensor sqrt() => Give(Shim.tap_sqrt(Use(), out TensorHandle result), result, this);

    /// <summary>One over the square root.</summary>
    public Tensor rsqrt() => Give(Shim.tap_rsqrt(Use(), out TensorHandle result), result, this);

    /// <summary>1 / x.</summary>
    public Tensor reciprocal() => Give(Shim.tap_reciprocal(Use(), out TensorHandle result), result, this);

    /// <summary>The sine, of radians.</summary>
    public Tensor sin() => Give(Shim.tap_sin(Use(), out TensorHandle result), result, this);

    /// <summary>The cosine, of radians.</summary>
    public Tensor cos() => Give(Shim.tap_cos(Use(), out TensorHandle result), result, this);

    /// <summary>The hyperbolic tangent.</summary>
    public Tensor tanh() => Give(Shim.tap_tanh(Use(), out TensorHandle result), result, this);

    /// <summary>1 / (1 + e^-x).</summary>
    public Tensor sigmoid() => Give(Shim.tap_sigmoid(Use(), out TensorHandle result), result, this);

    /// <summary>max(x, 0).</summary>
    public Tensor relu() => Give(Shim.tap_relu(Use(), out TensorHandle result), result, this);

    /// <summary>x · sigmoid(x).</summary>
    public Tensor silu() => Give(Shim.tap_silu(Use(), out TensorHandle result), result, this);

    /// <summary>x · Φ(x), the exact form.</summary>
    public Tensor gelu() => Give(Shim.tap_gelu(Use(), out TensorHandle result), result, this);

    /// <summary>Truth values, negated.</summary>
    public Tensor logical_not() => Give(Shim.tap_logical_not(Use(), out TensorHandle result), result, this);

    /// <summary>Where the elements are neither infinite nor NaN.</summary>
    public Tensor isfinite() => Give(Shim.tap_isfinite(Use(), out TensorHandle result), result, this);

    /// <summary>Where x = y.</summary>
    public Tensor eq(Tensor other) => Compare(Comparison.Equal, other, nameof(eq));

    /// <summary>Where x = y.</summary>
    public Tensor eq(Scalar other) => Compare(Comparison.Equal, other, nameof(eq));

    /// <summary>Where x ≠ y.</summary>
    public Tensor ne(Tensor other) => Compare(Comparison.NotEqual, other, nameof(ne));

    /// <summary>Where x ≠ y.</summary>
    public Tensor ne(Scalar other) => Compare(Comparison.NotEqual, other, nameof(ne));

    /// <summary>Where x is less than y.</summary>
    public Tensor lt(Tensor other) => Compare(Comparison.Less, other, nameof(lt));

    /// <summary>Where x is less than y.</summary>
    public Tensor lt(Scalar other) => Compare(Comparison.Less, other, nameof(lt));

    /// <summary>Where x ≤ y.</summary>
    public Tensor le(Tensor other) => Compare(Comparison.LessOrEqual, other, nameof(le));

    /// <summary>Where x ≤ y.</summary>
    public Tensor le(Scalar other) => Compare(Comparison.LessOrEqual, other, nameof(le));

    /// <summary>Where x is greater than y.</summary>
    public Tensor gt(Tensor other) => Compare(Comparison.Greater, other, nameof(gt));

    /// <summary>Where x is greater than y.</summary>
    public Tensor gt(Scalar other) => Compare(Comparison.Greater, other, nameof(gt));

    /// <summary>Where x ≥ y.</summary>
    public Tensor ge(Tensor other) => Compare(Comparison.GreaterOrEqual, other, nameof(ge));

    /// <summary>Where x ≥ y.</summary>
    public Tensor ge(Scalar other) => Compare(Comparison.GreaterOrEqual, other, nameof(ge));

    /// <summary>x, with <paramref name="value"/> where the mask is true.</summary>
    public Tensor masked_fill(Tensor mask, Scalar value) =>
        Give(Shim.tap_masked_fill(Use(), mask.Use(), value, out TensorHandle result), result, this, mask);

    /// <summary>x + y.</summary>
    public static Tensor operator +(Tensor x, Tensor y) => x.add(y);

    /// <summary>x + y.</summary>
    public static Tensor operator +(Tensor x, Scalar y) => x.add(y);

    /// <summary>x + y.</summary>
    public static Tensor operator +(Scalar x, Tensor y) => y.add(x);

    /// <summary>x - y.</summary>
    public static Tensor operator -(Tensor x, Tensor y) => x.sub(y);

    /// <summary>x - y.</summary>
    public static Tensor operator -(Tensor x, Scalar y) => x.sub(y);

    /// <summary>x - y.</summary>
    public static Tensor operator -(Scalar x, Tensor y) => y.rsub(x);

    /// <summary>-x.</summary>
    public static Tensor operator -(Tensor x) => x.neg();

    /// <summary>x · y, element by element.</summary>
    public static Tensor operator *(Tensor x, Tensor y) => x.mul(y);

    /// <summary>x · y.</summary>
    public static Tensor operator *(Tensor x, Scalar y) => x.mul(y);

    /// <summary>x · y.</summary>
    public static Tensor operator *(Scalar x, Tensor y) => y.mul(x);

    /// <summary>x / y.</summary>
    public static Tensor operator /(Tensor x, Tensor y) => x.div(y);

    /// <summary>x / y.</summary>
    public static Tensor operator /(Tensor x, Scalar y) => x.div(y);

    private Tensor Compare(Comparison comparison, Tensor other, string operation) =>
        Give(Shim.tap_compare((int)comparison, Use(operation), other.Use(operation), out TensorHandle result), result, this, other, operation);

    private Tensor Compare(Comparison comparison, Scalar other, string operation) =>
        Give(Shim.tap_compare_scalar((int)comparison, Use(operation), other, out TensorHandle result), result, this, operation);
}
