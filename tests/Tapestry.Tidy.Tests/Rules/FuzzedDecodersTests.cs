using System.Reflection;
using FluentAssertions;
using Tapestry.Fuzz;
using Tapestry.Fuzz.Targets;
using Xunit;

namespace Tapestry.Tidy.Rules;

/// <summary>Every decoder is fuzzed: whoever adds one adds it to a target of tests/Tapestry.Fuzz.</summary>
public sealed class FuzzedDecodersTests
{
    private const BindingFlags Declared =
        BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly string[] Beginnings = ["TryRead", "TryParse", "TryVerify", "TryOpen", "TryDecode"];
    private static readonly string[] Names = ["Read", "Verify", "Open", "Parse", "Decode"];

    [Fact]
    public void Every_static_decoder_of_bytes_is_in_a_fuzz_target()
    {
        HashSet<MethodInfo> fuzzed = [.. FuzzTargets.All.SelectMany(target => target.Decoders)];
        List<Assembly> assemblies = [.. fuzzed.Select(method => method.DeclaringType!.Assembly).Distinct()];
        assemblies.Select(assembly => assembly.GetName().Name)
            .Should().BeEquivalentTo("Tapestry.Crypto", "Tapestry.Protocol", "Tapestry.Libp2p", "Tapestry.Node");
        assemblies.SelectMany(assembly => assembly.GetTypes())
            .SelectMany(type => type.GetMethods(Declared))
            .Where(method => !method.IsPrivate && IsDecoder(method.Name) && Decoders.TakesBytes(method))
            .Where(method => !fuzzed.Contains(method))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}")
            .Should().BeEmpty("each is reached by bytes of a peer: see tests/Tapestry.Fuzz/FuzzTargets.cs");
    }

    private static bool IsDecoder(string name) =>
        Names.Contains(name) || Array.Exists(Beginnings, beginning => name.StartsWith(beginning, StringComparison.Ordinal));
}
