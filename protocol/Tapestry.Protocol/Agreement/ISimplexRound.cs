using Tapestry.Crypto;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Protocol.Agreement;

/// <summary>What an agreement asks of the round that it decides something for.</summary>
internal interface ISimplexRound
{
    /// <summary>The value that this member would propose afresh, its body held; null while it has none.</summary>
    Digest? Propose(Instance instance, int view, Outbox outbox);

    /// <summary>Judges a fresh proposal whose justification holds.</summary>
    /// <param name="instance">The agreement.</param>
    /// <param name="value">Digest of the proposed value.</param>
    /// <param name="view">The view that proposes it.</param>
    /// <param name="arrived">When the proposal arrived.</param>
    /// <param name="outbox">For what is missing.</param>
    Judgement Judge(Instance instance, Digest value, int view, Instant arrived, Outbox outbox);

    /// <summary>Whether the body of a value is held and well formed; if not, it is fetched.</summary>
    bool HoldsBody(Instance instance, Digest value, Sequence<MemberId> providers, Outbox outbox);

    /// <summary>Two statements of one member that exclude each other.</summary>
    void Accuse(SignedStatement first, SignedStatement second, Outbox outbox);

    /// <summary>A value is decided.</summary>
    void Decided(Certificate certificate, Outbox outbox);
}
