using Tapestry.Testing;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>A fact that trains in network namespaces; skipped, by name, where either is not possible.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchNamespacesFactAttribute : FactAttribute
{
    /// <summary>Skips without root or without the libtorch shim.</summary>
    public TorchNamespacesFactAttribute() => Skip = new NamespacesFactAttribute().Skip ?? new TorchFactAttribute().Skip;
}
