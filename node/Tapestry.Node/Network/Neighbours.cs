using System.Diagnostics.CodeAnalysis;
using Tapestry.Libp2p;
using Tapestry.Protocol;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>Who is who: the genesis' members by libp2p identity and by member id. Everybody else is a stranger.</summary>
internal sealed class Neighbours
{
    private readonly Dictionary<PeerId, Member> _byPeer = [];
    private readonly Dictionary<MemberId, PeerId> _byMember = [];

    /// <summary>The members of a network.</summary>
    /// <param name="genesis">The network.</param>
    /// <param name="self">This member, whom nobody else may claim to be.</param>
    public Neighbours(Genesis genesis, MemberId self)
    {
        Self = self;
        foreach (Member member in genesis.Members.AsSpan())
        {
            if (member.Id == self)
            {
                continue;
            }

            PeerId peer = PeerId.From(member.PeerKey);
            _byPeer[peer] = member;
            _byMember[member.Id] = peer;
        }
    }

    /// <summary>This member.</summary>
    public MemberId Self { get; }

    /// <summary>The other members' identities.</summary>
    public IReadOnlyCollection<PeerId> Peers => _byPeer.Keys;

    /// <summary>A member's name. All strangers have one in common: their keys cost nothing, and what is counted by name is kept.</summary>
    public string NameOf(PeerId peer) => _byPeer.TryGetValue(peer, out Member? member) ? member.Name : "strangers";

    /// <summary>The member behind an identity; false for a stranger.</summary>
    public bool TryGetMember(PeerId peer, [NotNullWhen(true)] out Member? member) => _byPeer.TryGetValue(peer, out member);

    /// <summary>The identity of another member; false for one that the genesis does not name, and for this member.</summary>
    public bool TryGetPeer(MemberId member, [NotNullWhen(true)] out PeerId? peer) => _byMember.TryGetValue(member, out peer);
}
