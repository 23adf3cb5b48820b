namespace Tapestry.Torch;

/// <summary>The type of a tensor's elements. The numbers are libtorch's.</summary>
public enum ScalarType
{
    /// <summary>Unsigned 8-bit integer.</summary>
    Byte = 0,

    /// <summary>Signed 8-bit integer.</summary>
    Int8 = 1,

    /// <summary>Signed 16-bit integer.</summary>
    Int16 = 2,

    /// <summary>Signed 32-bit integer.</summary>
    Int32 = 3,

    /// <summary>Signed 64-bit integer: indices and tokens.</summary>
    Int64 = 4,

    /// <summary>IEEE half precision.</summary>
    Float16 = 5,

    /// <summary>IEEE single precision: parameters, gradients, optimiser state.</summary>
    Float32 = 6,

    /// <summary>IEEE double precision.</summary>
    Float64 = 7,

    /// <summary>Truth values, one byte each.</summary>
    Bool = 11,

    /// <summary>The upper half of a single: 8 bits of exponent, 8 of precision.</summary>
    BFloat16 = 15,
}
