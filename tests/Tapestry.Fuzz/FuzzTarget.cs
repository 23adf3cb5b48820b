using System.Reflection;

namespace Tapestry.Fuzz;

/// <summary>Runs a decoder on hostile bytes.</summary>
/// <param name="input">What a peer may have sent.</param>
/// <returns>What was read; null when the bytes were refused in one of the declared ways.</returns>
internal delegate object? InputReader(ReadOnlySpan<byte> input);

/// <summary>A decoder of the usual shape: false, or a value.</summary>
internal delegate bool TryReader<T>(ReadOnlySpan<byte> bytes, out T? value);

/// <summary>One decoder that bytes of a peer reach, and what it promises.</summary>
/// <param name="Name">In words of the field, with dashes: names the folder of its corpus.</param>
/// <param name="Decoders">The methods that it reaches; a test fails when one of the assemblies' is in no target.</param>
/// <param name="Read">Runs it. Any exception that gets out is a finding.</param>
/// <param name="Samples">Valid inputs, made by our own encoders: the corpus begins with them.</param>
internal sealed record FuzzTarget(string Name, IReadOnlyList<MethodInfo> Decoders, InputReader Read, Func<IEnumerable<byte[]>> Samples)
{
    /// <summary>Encodes what was read; null where nothing encodes it.</summary>
    public Func<object, byte[]>? Encode { get; init; }

    /// <summary>
    /// Whether what was read encodes to the very bytes that it was read from. Without it, the encoding only has to be read again
    /// and then encode to itself.
    /// </summary>
    public bool IsCanonical { get; init; } = true;

    /// <summary>The longest input, in bytes: a little beyond the decoder's own bound, where that is not too slow.</summary>
    public int LengthMax { get; init; } = 4096;

    /// <summary>What the decoder may allocate for an input of this many bytes, in bytes.</summary>
    public Func<int, long> MemoryMax { get; init; } = static length => (16 * 1024) + (40L * length);

    /// <summary>Its share of the inputs: decoders that compute keys or start tasks get fewer.</summary>
    public int Weight { get; init; } = 16;

    /// <summary>The same target, which also reaches decoders that have no target of their own.</summary>
    public FuzzTarget Reaching(Type type, string name) => this with { Decoders = [.. Decoders, .. Targets.Decoders.Of(type, name)] };

    /// <summary>A target of one decoder of the usual shape.</summary>
    public static FuzzTarget Of<T>(string name, TryReader<T> read, Func<T, byte[]>? encode, Func<IEnumerable<byte[]>> samples) => new(
        name, [read.Method], input => read(input, out T? value) ? value : null, samples)
    {
        Encode = encode is null ? null : value => encode((T)value),
    };
}

/// <summary>An input on which a decoder broke its promise.</summary>
/// <param name="Target">The target.</param>
/// <param name="Index">Which of its inputs; -1 for one of the corpus or of a file.</param>
/// <param name="Promise">Which promise: throws, hangs, allocates, encodes.</param>
/// <param name="What">What happened, in a sentence.</param>
/// <param name="Input">The bytes.</param>
internal sealed record FuzzFinding(string Target, long Index, string Promise, string What, byte[] Input);
