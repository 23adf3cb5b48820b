using Tapestry.Crypto;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>The first frame of a message stream, each way: which network and plan the sender runs.</summary>
/// <param name="Network">Digest of the genesis.</param>
/// <param name="Plan">Digest of the plan.</param>
internal readonly record struct Greeting(Digest Network, Digest Plan)
{
    /// <summary>Bytes of a greeting.</summary>
    public const int Bytes = 2 * Digest.Length;

    /// <summary>The greeting of a network's member.</summary>
    public static Greeting Of(Genesis genesis) => new(genesis.Digest, genesis.Plan.Digest);

    /// <summary>Reads a greeting.</summary>
    /// <returns>False when it has another length.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Greeting greeting)
    {
        bool hasLength = bytes.Length == Bytes;
        greeting = hasLength ? new Greeting(new Digest(bytes[..Digest.Length]), new Digest(bytes[Digest.Length..])) : default;
        return hasLength;
    }

    /// <summary>The bytes on the wire.</summary>
    public byte[] ToArray() => [.. Network.ToArray(), .. Plan.ToArray()];

    /// <summary>What is wrong with another's greeting; null when we are of one network.</summary>
    public MemberFault? Compare(Greeting other) =>
        other.Network != Network ? MemberFault.WrongGenesis
        : other.Plan != Plan ? MemberFault.WrongPlan
        : null;
}
