using FluentAssertions;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>specs/50-network.md, section 11: what goes by gossip and what on streams.</summary>
public sealed class OutboxTests
{
    private static readonly MemberId Self = Samples.Id(Samples.Key(0));

    [Fact]
    public void What_is_for_one_partner_is_not_published()
    {
        Outbox outbox = new(default, 1);
        Action publishing = () => outbox.Publish([Self], new PeerMessage.Want(1, []));
        publishing.Should().Throw<InvalidOperationException>().WithMessage("Want *");
        outbox.ToStep().Effects.Should().BeEmpty();
    }
}
