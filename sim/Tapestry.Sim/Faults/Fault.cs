using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>What a Byzantine member does with what its rules would have it do. Holds its key, so it can sign anything.</summary>
internal abstract class Fault(World world, Host host, RandomStream random)
{
    protected World World { get; } = world;

    protected Host Host { get; } = host;

    protected RandomStream Random { get; } = random;

    /// <summary>The effects to perform in place of one.</summary>
    internal virtual IEnumerable<Effect> Distort(Effect effect) => effect is Effect.Send send ? Distort(send) : [effect];

    /// <summary>Whether it serves a blob that it has.</summary>
    internal virtual bool Serves(Host to, Digest blob) => true;

    /// <summary>What it answers to a request for a body or a round record.</summary>
    /// <param name="to">Who asks.</param>
    /// <param name="table">Bodies or Rounds.</param>
    /// <param name="held">The row that it has, or null.</param>
    internal virtual ByteString? Answer(Host to, Table table, ByteString? held) => held;

    protected virtual IEnumerable<Effect> Distort(Effect.Send send) => [send];

    protected SignedStatement Sign(Instance instance, Statement statement) => SignedStatement.Sign(instance, Host.Id, statement, Host.Key);

    protected Effect.Send To(IEnumerable<MemberId> members, SignedStatement signed) =>
        new(members.Where(member => member != Host.Id).ToSequence(), new PeerMessage.Signed(signed));

    /// <summary>Two random halves of some members; together all of them.</summary>
    protected (Sequence<MemberId> One, Sequence<MemberId> Other) Halve(Sequence<MemberId> members)
    {
        List<MemberId> one = [];
        List<MemberId> other = [];
        foreach (MemberId member in members)
        {
            (Random.Chance(0.5) ? one : other).Add(member);
        }

        return (one.ToSequence(), other.ToSequence());
    }

    /// <summary>Makes a value's body available to whoever asks this member for it.</summary>
    protected Digest Serve(DecidedValue value)
    {
        Digest digest = value.Digest;
        Host.Disk.Sync([new Record(Table.Bodies, RecordKeys.Of(digest), value.Encode())]);
        return digest;
    }

    protected DecidedValue? BodyOf(Digest digest) =>
        Host.Disk.Read(Table.Bodies, RecordKeys.Of(digest)) is ByteString bytes && DecidedValue.TryRead(bytes.Span, out DecidedValue? value)
            ? value
            : null;
}
