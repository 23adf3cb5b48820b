using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>Everything that a member knows of the round that it works on; given up when the round is recorded.</summary>
/// <remarks>What must survive a crash is also in the durable records.</remarks>
internal sealed class RoundState(RoundPlaces places, Simplex set, Simplex result)
{
    internal RoundPlaces Places { get; } = places;

    internal Simplex Set { get; } = set;

    internal Simplex Result { get; } = result;

    internal long Number => Places.Round;

    internal long StartedMonotonicMs { get; set; }

    internal long DeadlineMonotonicMs { get; set; }

    internal bool DeadlinePassed { get; set; }

    internal bool AggregateDeadlineSet { get; set; }

    internal bool AggregateDeadlinePassed { get; set; }

    internal int Resends { get; set; }

    internal int Retries { get; set; }

    internal bool RetrySet { get; set; }

    internal int ApplyFailures { get; set; }

    /// <summary>Whether the decisions were taken over from another member's record of the round.</summary>
    internal bool IsFromRecord { get; set; }

    internal SortedSet<MemberId> Heard { get; } = [];

    /// <summary>Members that said that they contribute to this round: a leader waits for them until its deadline.</summary>
    internal SortedSet<MemberId> Contributing { get; } = [];

    /// <summary>Answers given since the last resend timer.</summary>
    internal SortedDictionary<(MemberId To, MessageType Question), int> Answers { get; } = [];

    internal SortedDictionary<Digest, HeldUpdate> Updates { get; } = [];

    /// <summary>Manifests held without a receipt of ours.</summary>
    internal SortedSet<Digest> Unchecked { get; } = [];

    /// <summary>Authors of eligible updates; asked, never listed.</summary>
    internal HashSet<MemberId> Eligible { get; } = [];

    /// <summary>Bodies of proposed and decided values.</summary>
    internal SortedDictionary<Digest, DecidedValue> Values { get; } = [];

    /// <summary>Digests whose bytes are no value: what a lying leader proposed.</summary>
    internal SortedSet<Digest> BadBodies { get; } = [];

    /// <summary>Settlements by the set that they settle.</summary>
    internal SortedDictionary<Digest, Ballot<Sequence<SliceOutcome>>> Settlements { get; } = [];

    /// <summary>The first settlement of each author, of whatever set.</summary>
    internal SortedDictionary<MemberId, SignedStatement> FirstSettlements { get; } = [];

    /// <summary>Our own update, once its manifest is signed.</summary>
    internal HeldUpdate? Own { get; set; }

    internal SignedStatement? OwnSettlement { get; set; }

    /// <summary>Manifests that a proposal names and that were not eligible here when it was judged.</summary>
    internal SortedSet<Digest> Named { get; } = [];

    /// <summary>What a proposal's leader was asked for.</summary>
    internal SortedSet<Digest> AskedFor { get; } = [];

    /// <summary>The last manifest that everyone was asked for: the next resend goes on after it.</summary>
    internal Digest LastAskedFor { get; set; }

    /// <summary>Views in which an omission was answered with what was left out.</summary>
    internal SortedSet<int> OmissionsShown { get; } = [];

    /// <summary>The slots whose authors were caught in them.</summary>
    internal HashSet<(MemberId Author, ByteString Slot)> Accused { get; } = [];

    /// <summary>The result that follows from the decided set and the agreed settlement, once both are there.</summary>
    internal DecidedValue.Result? Expected { get; set; }

    /// <summary>The decided set, or its VOID, once its body is held.</summary>
    internal DecidedValue? SetValue =>
        Set.Decision is Certificate decision ? Values.GetValueOrDefault(decision.Value) : null;

    /// <summary>The decided result, or its VOID, once its body is held.</summary>
    internal DecidedValue? ResultValue =>
        Result.Decision is Certificate decision ? Values.GetValueOrDefault(decision.Value) : null;

    /// <summary>What f + 1 owners say about the decided set.</summary>
    internal Sequence<SliceOutcome>? Settled =>
        Set.Decision is Certificate decision && Settlements.TryGetValue(decision.Value, out Ballot<Sequence<SliceOutcome>>? ballot)
            ? ballot.Agreed
            : null;

    internal HeldUpdate UpdateOf(Digest manifest)
    {
        if (!Updates.TryGetValue(manifest, out HeldUpdate? update))
        {
            update = new HeldUpdate(manifest);
            Updates.Add(manifest, update);
        }

        return update;
    }

    internal IEnumerable<HeldUpdate> UpdatesOf(MemberId author) => Updates.Values.Where(update => update.Signed?.Author == author);
}
