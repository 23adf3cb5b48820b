using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Sim.Faults;

/// <summary>
/// Answers requests for bodies and round records with junk. Its manifest goes to one other member only, so that the rest must ask;
/// instead of a manifest they get the bytes that it signs, whose digest is the manifest's name.
/// </summary>
internal sealed class JunkAnswerer(World world, Host host, RandomStream random) : Fault(world, host, random)
{
    private static readonly ByteString Junk = ByteString.CopyFrom("junk"u8);

    private MemberId Favoured => World.Committee.Members.First(member => member != Host.Id);

    protected override IEnumerable<Effect> Distort(Effect.Send send) =>
        send.Message is PeerMessage.Signed { Statement: { Statement: Statement.Manifest } signed } && signed.Author == Host.Id
            ? [new Effect.Send(send.To.Where(member => member == Favoured).ToSequence(), send.Message)]
            : [send];

    internal override ByteString? Answer(Host to, Table table, ByteString? held) =>
        held is not null && SignedStatement.TryRead(held.Span, out SignedStatement? signed)
            ? ByteString.Own(SignedStatement.SigningBytes(signed.Instance, signed.Author, signed.Statement))
            : Junk;
}
