using Tapestry.Crypto;

namespace Tapestry.Node.Network;

/// <summary>The protocols that members speak with each other over libp2p streams.</summary>
/// <remarks>specs/50-network.md, section 11.</remarks>
internal static class TapestryProtocols
{
    /// <summary>One-way frames, each one message; opened by either side with a greeting.</summary>
    public const string Message = "/tapestry/message/1";

    /// <summary>A body by digest: a manifest's signed bytes or a decided value.</summary>
    public const string Body = "/tapestry/body/1";

    /// <summary>The record of a round: its decided values and their certificates.</summary>
    public const string Round = "/tapestry/round/1";

    /// <summary>A blob by its Merkle root, chunk by chunk.</summary>
    public const string Blob = "/tapestry/blob/1";

    /// <summary>The roots of every slice of a base or of an aggregate, by its name.</summary>
    public const string Roots = "/tapestry/roots/1";

    /// <summary>Signed records of where members are reached.</summary>
    public const string Peers = "/tapestry/peers/1";

    /// <summary>The gossip topic of a network: what everyone is to hear.</summary>
    public static string Topic(Digest network) => $"/tapestry/gossip/1/{network}";
}
