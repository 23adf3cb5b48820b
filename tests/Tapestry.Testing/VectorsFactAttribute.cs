using Xunit;

namespace Tapestry.Testing;

/// <summary>A fact over test vectors by others; skipped, by name, where their folder is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class VectorsFactAttribute : FactAttribute
{
    /// <summary>Skips where the vectors are absent.</summary>
    public VectorsFactAttribute() => Skip = VectorsTheoryAttribute.SkipReason!;
}

/// <summary>A theory over test vectors by others; skipped, by name, where their folder is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class VectorsTheoryAttribute : TheoryAttribute
{
    internal const string Reason = "no shared vectors: set TAPESTRY_VECTORS to their folder";

    /// <summary>Skips where the vectors are absent.</summary>
    public VectorsTheoryAttribute() => Skip = SkipReason!;

    internal static string? SkipReason => Repository.Vectors is null ? Reason : null;
}
