using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Messages;

public sealed partial record Instance
{
    private const int FieldCount = 7;

    internal void WriteTo(CanonicalWriter writer)
    {
        writer.WriteArray(FieldCount);
        writer.WriteDigest(Network);
        writer.WriteDigest(Plan);
        writer.WriteInteger(Round);
        writer.WriteInteger(Attempt);
        writer.WriteInteger(Fragment);
        writer.WriteInteger((byte)Agreement);
        writer.WriteDigest(Committee);
    }

    internal static bool TryRead(ref CanonicalReader reader, [NotNullWhen(true)] out Instance? instance)
    {
        instance = null;
        if (!reader.TryReadArray(FieldCount)
            || !reader.TryReadDigest(out Digest network)
            || !reader.TryReadDigest(out Digest plan)
            || !reader.TryReadInteger(1, long.MaxValue, out long round)
            || !reader.TryReadInteger(0, int.MaxValue, out int attempt)
            || !reader.TryReadInteger(0, int.MaxValue, out int fragment)
            || !reader.TryReadInteger((int)AgreementKind.None, (int)AgreementKind.Result, out int agreement)
            || !reader.TryReadDigest(out Digest committee))
        {
            return false;
        }

        instance = new Instance(network, plan, round, attempt, fragment, (AgreementKind)agreement, committee);
        return true;
    }

    /// <summary>Whether a message of a type may belong here: manifests bind no committee, votes bind an agreement.</summary>
    internal bool Admits(MessageType type) => type switch
    {
        MessageType.Manifest => Agreement == AgreementKind.None && Committee.IsZero,
        MessageType.Receipt or MessageType.Settlement => Agreement == AgreementKind.None && !Committee.IsZero,
        _ => Agreement != AgreementKind.None && !Committee.IsZero,
    };
}
