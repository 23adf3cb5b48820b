using System.Reflection;

namespace Tapestry.Fuzz.Targets;

/// <summary>Names decoders that have a shape of their own.</summary>
internal static class Decoders
{
    /// <summary>The static methods of a name that begin with the bytes.</summary>
    public static IReadOnlyList<MethodInfo> Of(Type type, string name) =>
    [
        .. type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(method => method.Name == name && TakesBytes(method)),
    ];

    /// <summary>Whether a method reads bytes: its first parameter is a span or memory of them.</summary>
    public static bool TakesBytes(MethodInfo method) =>
        method.GetParameters() is [ParameterInfo first, ..] && (first.ParameterType == typeof(ReadOnlySpan<byte>) || first.ParameterType == typeof(ReadOnlyMemory<byte>));
}
