using Tapestry.Testing;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>A fact that trains; skipped, by name, where the libtorch shim has not been built.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchFactAttribute : FactAttribute
{
    /// <summary>Skips where there is no shim.</summary>
    public TorchFactAttribute()
    {
        bool isBuilt = File.Exists(Path.Combine(Repository.Root, "artifacts", "native", "libtapestry_torch.so"));
        Skip = isBuilt ? null! : "no libtorch shim: run ./tapestry test, or node/Tapestry.Torch/native/build.sh";
    }
}
