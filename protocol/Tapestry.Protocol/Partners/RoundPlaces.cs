using Tapestry.Crypto;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>The places to which the signatures of one round belong.</summary>
internal sealed class RoundPlaces(long round, Digest network, Digest plan, Digest committee)
{
    internal long Round { get; } = round;

    /// <summary>Where manifests belong.</summary>
    internal Instance Contributing { get; } = new(network, plan, round, 0, 0, AgreementKind.None, Digest.Zero);

    /// <summary>Where receipts and settlements belong.</summary>
    internal Instance Holding { get; } = new(network, plan, round, 0, 0, AgreementKind.None, committee);

    /// <summary>The set agreement.</summary>
    internal Instance Set { get; } = new(network, plan, round, 0, 0, AgreementKind.Set, committee);

    /// <summary>The result agreement.</summary>
    internal Instance Result { get; } = new(network, plan, round, 0, 0, AgreementKind.Result, committee);
}
