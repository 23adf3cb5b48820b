using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>Collects what one step comes to: records first, then effects, each in the order in which the rules asked.</summary>
/// <param name="now">The moment of the step.</param>
/// <param name="nextEffect">The number of the next effect with an id.</param>
internal sealed class Outbox(Instant now, long nextEffect)
{
    private readonly List<Record> _records = [];
    private readonly List<Effect> _effects = [];

    internal Instant Now { get; } = now;

    /// <summary>When the message that is being taken arrived: now, or earlier if it was kept for its round.</summary>
    internal Instant Arrived { get; set; } = now;

    internal long NextEffect { get; private set; } = nextEffect;

    internal void Put(Table table, ByteString key, ByteString value) => _records.Add(new Record(table, key, value));

    internal void Delete(Table table, ByteString key) => _records.Add(new Record(table, key, null));

    internal void Do(Effect effect) => _effects.Add(effect);

    internal EffectId NewEffect() => new(NextEffect++);

    internal void Send(Sequence<MemberId> to, PeerMessage message)
    {
        if (to.Count > 0)
        {
            _effects.Add(new Effect.Send(to, message));
        }
    }

    internal void Send(Sequence<MemberId> to, SignedStatement statement) => Send(to, new PeerMessage.Signed(statement));

    internal void Send(MemberId to, PeerMessage message) => _effects.Add(new Effect.Send([to], message));

    /// <summary>Says something to everyone for the first time; what is said again goes by <see cref="Send(Sequence{MemberId}, PeerMessage)"/>.</summary>
    internal void Publish(Sequence<MemberId> to, PeerMessage message)
    {
        if (message is not (PeerMessage.Certified or PeerMessage.Signed { Statement.Statement: not (Statement.Receipt or Statement.Settlement) }))
        {
            throw new InvalidOperationException($"{message.GetType().Name} is published: receipts, settlements and questions go on streams.");
        }

        if (to.Count > 0)
        {
            _effects.Add(new Effect.Publish(to, message));
        }
    }

    internal void Publish(Sequence<MemberId> to, SignedStatement statement) => Publish(to, new PeerMessage.Signed(statement));

    internal void Report(MemberId member, MemberFault fault) => _effects.Add(new Effect.Report(member, fault));

    internal Step ToStep() => new(_records.ToSequence(), _effects.ToSequence());
}
