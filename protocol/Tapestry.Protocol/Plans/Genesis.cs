using Tapestry.Crypto;

namespace Tapestry.Protocol.Plans;

/// <summary>The first agreement of a network; its digest names the network.</summary>
/// <param name="NetworkName">1 to 64 characters of a-z, 0-9 and hyphen; part of the ledger's origin.</param>
/// <param name="CreatedMs">Milliseconds since the Unix epoch.</param>
/// <param name="Plan">The plan of the run.</param>
/// <param name="InitialBase">Digest of B_0.</param>
/// <param name="Members">Ascending by id.</param>
/// <param name="Committee">Ids of the members that aggregate and certify, ascending. Fixed for now.</param>
/// <param name="NoFaultTolerance">Whether a committee below four was asked for knowingly.</param>
public sealed partial record Genesis(
    string NetworkName,
    long CreatedMs,
    Plan Plan,
    Digest InitialBase,
    Sequence<Member> Members,
    Sequence<MemberId> Committee,
    bool NoFaultTolerance);

/// <summary>A registered member.</summary>
/// <param name="Id">Its signing key.</param>
/// <param name="Name">A name for people, 1 to 64 characters.</param>
/// <param name="PeerKey">The Ed25519 key of its libp2p identity.</param>
/// <param name="CheckpointKey">The Ed25519 key that signs its ledger checkpoints.</param>
public sealed record Member(MemberId Id, string Name, PublicKey PeerKey, PublicKey CheckpointKey);
