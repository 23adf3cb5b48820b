using Tapestry.Testing;
using Xunit;

namespace Tapestry.Protocol.Tests;

/// <summary>A fact that asks npm's MessagePack library; skipped, by name, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MessagePackFactAttribute : FactAttribute
{
    internal static readonly string Folder = Path.Combine(Repository.Root, "tests", "foreign", "msgpack");

    public MessagePackFactAttribute()
    {
        if (!Directory.Exists(Path.Combine(Folder, "node_modules")))
        {
            Skip = "no @msgpack/msgpack: run tests/foreign/msgpack/install.sh";
        }
    }
}
