using Tapestry.Crypto;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>The only way to a signature of ours: one statement a slot, the same bytes for ever.</summary>
/// <remarks>
/// specs/20-agreement.md, section 3. The slot's record travels in the same step as the message, and records are synced before
/// effects: so what another member ever saw is what a restart finds. An honest crash must not look like a lie.
/// </remarks>
internal sealed class SignatureGuard(MemberId self, SigningKey key)
{
    private readonly SortedDictionary<ByteString, SignedStatement> _slots = new(ByteOrder.Instance);

    /// <summary>Statements signed in the rounds that are still kept, in slot order.</summary>
    internal IEnumerable<SignedStatement> Signed => _slots.Values;

    internal SeededBug SeededBug { get; init; }

    /// <summary>Signs a statement, or repeats what was signed.</summary>
    /// <returns>Null, and our own fault reported, when the slot holds something else.</returns>
    internal SignedStatement? Sign(Instance instance, Statement statement, Outbox outbox)
    {
        ByteString slot = RecordKeys.Slot(instance, statement);
        if (_slots.TryGetValue(slot, out SignedStatement? held) && SeededBug != SeededBug.FinalizeAfterNullify)
        {
            if (held.Instance == instance && held.Statement == statement)
            {
                return held;
            }

            outbox.Report(self, MemberFault.Equivocation);
            return null;
        }

        SignedStatement signed = SignedStatement.Sign(instance, self, statement, key);
        _slots[slot] = signed;
        outbox.Put(Table.Slots, slot, signed.Encode());
        return signed;
    }

    /// <summary>Takes over a slot that was synced in an earlier life.</summary>
    internal void Restore(ByteString slot, SignedStatement signed) => _slots[slot] = signed;

    /// <summary>Gives up the slots of rounds before <paramref name="round"/>: nothing is ever signed for them again.</summary>
    internal void Forget(long round, Outbox outbox)
    {
        ByteString[] old = [.. _slots.Keys.TakeWhile(slot => RecordKeys.RoundOf(slot) < round)];
        foreach (ByteString slot in old)
        {
            _slots.Remove(slot);
            outbox.Delete(Table.Slots, slot);
        }
    }
}
