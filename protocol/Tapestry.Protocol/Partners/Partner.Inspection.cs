using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

// What tests and the simulator's oracle may look at; nothing here changes anything.
public sealed partial class Partner
{
    internal Statement.Propose? ProposalOf(AgreementKind agreement, int view) =>
        (agreement == AgreementKind.Set ? _round.Set : _round.Result).ProposalOf(view);

    internal DecidedValue? ValueOf(Digest digest) => _round.Values.GetValueOrDefault(digest);

    /// <summary>A member whose manifest is held here, fully receipted in time, and who is not in a set.</summary>
    internal MemberId? LeftOutOf(DecidedValue.Set set) => _round.Updates.Values
        .Where(update => update.IsEligible && update.ReceiptedBeforeDeadlineMs >= _plan.Timing.CloseMarginMs)
        .Select(update => update.Signed!.Author)
        .Where(author => set.Included.All(inclusion => inclusion.Member != author))
        .Select(author => (MemberId?)author).FirstOrDefault();

    /// <summary>Whether this member could propose a set of its own now.</summary>
    internal bool HoldsSet => BuildSet(_head.CertifiedTimeMs + 1) is not null;

    /// <summary>Whether the plan is over and the last base is held.</summary>
    internal bool IsFinished => IsIdle && _head.HoldsBase;
}
