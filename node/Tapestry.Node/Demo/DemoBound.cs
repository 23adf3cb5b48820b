using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Demo;

/// <summary>What the certified rounds of a ledger are to move, and the least that they can have moved, whoever died meanwhile.</summary>
/// <remarks>
/// To be moved is every included update, f + 1 times, and an aggregate down to whoever it is from. The least is less: f + 1
/// members settled each slice, so each had all included updates: its own, and the others' over the network. Everybody else who
/// went on from the round's base had them too, or the aggregate, or the whole base, which is larger. Who went on is whom the next
/// certified round includes: an update is made from the base before it. Of the f + 1, those who did not go on are left out,
/// since what a daemon receives just before it dies is in no count. A round that ended VOID counts nothing.
/// </remarks>
internal static class DemoBound
{
    /// <summary>How many members each certified round included, in order.</summary>
    public static IReadOnlyList<int> IncludedIn(RecordStore records) =>
    [
        .. records.ReadAll(Table.Rounds)
            .Select(row => RoundRecord.TryRead(row.Value.Span, out RoundRecord? record) ? record : null)
            .Where(record => record is not null && Read(record.Result) is DecidedValue.Result)
            .Select(record => Read(record!.Set))
            .OfType<DecidedValue.Set>()
            .Select(set => set.Included.Count),
    ];

    /// <summary>An update up, f + 1 times, and an aggregate down, for each that counted, in all rounds.</summary>
    /// <param name="included">How many members each certified round included.</param>
    /// <param name="faults">f of the committee.</param>
    /// <param name="updateBytes">An encoded update.</param>
    /// <param name="aggregateBytes">An encoded aggregate.</param>
    public static long Bytes(IReadOnlyList<int> included, int faults, long updateBytes, long aggregateBytes) =>
        included.Sum(count => count * (((faults + 1) * updateBytes) + aggregateBytes));

    /// <summary>Bytes that all members together received at least, in all rounds.</summary>
    /// <param name="included">How many members each certified round included; all members ended on the last one's base.</param>
    /// <param name="members">Members; each has a seat.</param>
    /// <param name="faults">f of the committee.</param>
    /// <param name="updateBytes">An encoded update.</param>
    /// <param name="aggregateBytes">An encoded aggregate; less than a base.</param>
    public static long LeastBytes(IReadOnlyList<int> included, int members, int faults, long updateBytes, long aggregateBytes)
    {
        long bytes = 0;
        for (int round = 0; round < included.Count; round++)
        {
            int wentOn = round + 1 < included.Count ? included[round + 1] : members;
            int settled = Math.Max(0, faults + 1 - (members - wentOn));
            long othersBytes = (included[round] - 1) * updateBytes;
            bytes += (settled * othersBytes) + ((wentOn - settled) * Math.Min(othersBytes, aggregateBytes));
        }

        return bytes;
    }

    private static DecidedValue? Read(ByteString value) => DecidedValue.TryRead(value.Span, out DecidedValue? read) ? read : null;
}
