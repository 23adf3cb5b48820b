namespace Tapestry.Training.Models;

/// <summary>What a parameter tensor is for: decides how it starts and whether it decays.</summary>
public enum ParameterKind
{
    /// <summary>An ordinary weight matrix: normal start, decays.</summary>
    Matrix,

    /// <summary>A matrix that writes into the residual stream: a smaller normal start, decays.</summary>
    ResidualMatrix,

    /// <summary>The gain of an RMSNorm: starts at one, never decays.</summary>
    Norm,
}

/// <summary>One named tensor inside the flat vector.</summary>
/// <param name="Name">The Hugging Face name, for example "model.layers.0.self_attn.q_proj.weight".</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Rows">Outputs of a matrix, or the length of a gain.</param>
/// <param name="Columns">Inputs of a matrix; 0 for a gain, which has one dimension.</param>
/// <param name="Offset">Index of its first element in the flat vector.</param>
public sealed record ParameterTensor(string Name, ParameterKind Kind, long Rows, long Columns, long Offset)
{
    /// <summary>Elements.</summary>
    public long Count => Columns == 0 ? Rows : Rows * Columns;

    /// <summary>The shape, in a new array: [out, in] for a matrix, [d] for a gain.</summary>
    public long[] Shape() => Columns == 0 ? [Rows] : [Rows, Columns];
}
