using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Node.Daemon;
using Tapestry.Node.Network;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Xunit;

namespace Tapestry.Node.Tests.Rules;

/// <summary>What one member can fill: its part of the inbox, and its part of the memory of what was said.</summary>
public sealed class InboxTests
{
    private static readonly PeerMessage Message = new PeerMessage.Status(1, AgreementKind.None, 0);

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(100)]
    [InlineData(10_000)]
    public void Fewer_than_a_third_of_the_members_cannot_fill_the_inbox(int members)
    {
        Inbox inbox = new(members);

        for (int liar = 0; liar < (members - 1) / 3; liar++)
        {
            while (inbox.TryAccept(Member(liar), Message))
            {
            }
        }

        inbox.TryAccept(Member(members), Message).Should().BeTrue();
    }

    [Fact]
    public async Task A_member_has_room_again_when_the_loop_has_read_what_it_sent_and_this_machine_always_has()
    {
        Inbox inbox = new(4);
        int accepted = 0;
        while (inbox.TryAccept(Member(1), Message))
        {
            accepted++;
        }

        accepted.Should().Be(inbox.Share).And.BeLessThan(Inbox.Events);
        inbox.TryAccept(Member(2), Message).Should().BeTrue();
        await inbox.PostAsync(new PartnerEvent.Started());
        await using IAsyncEnumerator<PartnerEvent> reader = inbox.ReadAllAsync(CancellationToken.None).GetAsyncEnumerator();

        (await reader.MoveNextAsync()).Should().BeTrue();

        inbox.TryAccept(Member(1), Message).Should().BeTrue();
        inbox.TryAccept(Member(1), Message).Should().BeFalse();
    }

    [Fact]
    public void Who_says_more_than_is_remembered_pushes_out_its_own_words_only()
    {
        TakenMessages taken = new();
        Digest honest = Digest.Of("honest"u8);
        taken.TryAdd(Member(1), honest).Should().BeTrue();

        for (int word = 0; word <= TakenMessages.PerMember; word++)
        {
            taken.TryAdd(Member(2), Digest.Of(BitConverter.GetBytes(word))).Should().BeTrue();
        }

        taken.Contains(honest).Should().BeTrue();
        taken.Contains(Digest.Of(BitConverter.GetBytes(0))).Should().BeFalse();
        taken.Contains(Digest.Of(BitConverter.GetBytes(1))).Should().BeTrue();
    }

    private static MemberId Member(int number)
    {
        byte[] key = new byte[PublicKey.Length];
        BitConverter.TryWriteBytes(key, number);
        return new MemberId(new PublicKey(key));
    }
}
