using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;

namespace Tapestry.Node.Network;

/// <summary>What gossip brought and the loop took, so that a repeat costs no signature check, no room and no forwarding.</summary>
/// <remarks>
/// Triage lets only the present round and the next come this far, so a bounded number of names is enough: what one member says to
/// everyone in two rounds. Whoever says more pushes out its own names only. Safe for use by several threads.
/// </remarks>
internal sealed class TakenMessages
{
    /// <summary>Names kept of one member: some hundred views of two rounds, at a manifest and five messages a view.</summary>
    internal const int PerMember = 512;

    private readonly Lock _gate = new();
    private readonly HashSet<Digest> _names = [];
    private readonly Dictionary<MemberId, Queue<Digest>> _byMember = [];

    /// <summary>Names what a message says. The signature, the last field of a statement, is left out: its author can make any number that hold.</summary>
    public static Digest NameOf(MessageType type, ReadOnlySpan<byte> message) =>
        Digest.Of(type == MessageType.Certificate || message.Length < Signature.Length ? message : message[..^Signature.Length]);

    /// <summary>Whether it was taken before.</summary>
    public bool Contains(Digest name)
    {
        lock (_gate)
        {
            return _names.Contains(name);
        }
    }

    /// <summary>Remembers a verified message that the loop took.</summary>
    /// <param name="from">Whose gossip brought it.</param>
    /// <param name="name">Its name.</param>
    /// <returns>False when it is known already.</returns>
    public bool TryAdd(MemberId from, Digest name)
    {
        lock (_gate)
        {
            if (!_names.Add(name))
            {
                return false;
            }

            if (!_byMember.TryGetValue(from, out Queue<Digest>? names))
            {
                _byMember[from] = names = new Queue<Digest>();
            }

            names.Enqueue(name);
            if (names.Count > PerMember)
            {
                _names.Remove(names.Dequeue());
            }

            return true;
        }
    }
}
