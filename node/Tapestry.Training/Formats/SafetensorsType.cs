namespace Tapestry.Training.Formats;

/// <summary>Element types of a safetensors file, in the format's own order, which is also the writer's (descending).</summary>
/// <remarks>The names are the format's, upper case.</remarks>
public enum SafetensorsType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>Four bits of floating point.</summary>
    F4,

    /// <summary>Six bits of floating point, two of exponent.</summary>
    F6_E2M3,

    /// <summary>Six bits of floating point, three of exponent.</summary>
    F6_E3M2,

    /// <summary>An unsigned byte.</summary>
    U8,

    /// <summary>A signed byte.</summary>
    I8,

    /// <summary>Eight bits of floating point, five of exponent.</summary>
    F8_E5M2,

    /// <summary>Eight bits of floating point, four of exponent.</summary>
    F8_E4M3,

    /// <summary>A power of two in eight bits.</summary>
    F8_E8M0,

    /// <summary>Eight bits of floating point without infinities or negative zero, four of exponent.</summary>
    F8_E4M3FNUZ,

    /// <summary>Eight bits of floating point without infinities or negative zero, five of exponent.</summary>
    F8_E5M2FNUZ,

    /// <summary>A signed 16-bit integer.</summary>
    I16,

    /// <summary>An unsigned 16-bit integer.</summary>
    U16,

    /// <summary>IEEE half precision.</summary>
    F16,

    /// <summary>The upper half of IEEE single precision.</summary>
    BF16,

    /// <summary>A signed 32-bit integer.</summary>
    I32,

    /// <summary>An unsigned 32-bit integer.</summary>
    U32,

    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>A complex number of two singles.</summary>
    C64,

    /// <summary>IEEE double precision.</summary>
    F64,

    /// <summary>A signed 64-bit integer.</summary>
    I64,

    /// <summary>An unsigned 64-bit integer.</summary>
    U64,
}
