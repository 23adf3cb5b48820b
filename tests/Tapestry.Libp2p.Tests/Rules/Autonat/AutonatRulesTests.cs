using System.Net;
using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Autonat;

public sealed class AutonatRulesTests
{
    private static readonly IPAddress Observed = IPAddress.Parse("198.51.100.7");

    [Fact]
    public void Messages_are_the_bytes_of_the_specification()
    {
        string peer = Convert.ToHexStringLower(Hosts.Peer(7).Bytes);
        AutonatMessage dial = new AutonatMessage.Dial(Hosts.Peer(7), [Multiaddr.Parse("/ip4/198.51.100.7/tcp/4001")]);
        AutonatMessage response = new AutonatMessage.Response(AutonatStatus.DialRefused, "no", null);

        Convert.ToHexStringLower(dial.ToArray()).Should().Be("0800" + "1234" + "0a32" + "0a26" + peer + "1208" + "04c6336407060fa1");
        Convert.ToHexStringLower(response.ToArray()).Should().Be("0801" + "1a06" + "0865" + "12026e6f");
        foreach (AutonatMessage message in new[] { dial, response })
        {
            AutonatMessage.TryRead(message.ToArray(), out AutonatMessage? read).Should().BeTrue();
            read!.ToArray().Should().Equal(message.ToArray());
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("0800")] // a dial without one
    [InlineData("0801")] // a response without one
    [InlineData("0802" + "1a020800")] // no such type
    [InlineData("0801" + "1a00")] // a response that does not say how it went
    [InlineData("0801" + "1a02" + "0a00")] // a status that is text
    [InlineData("0800" + "1206" + "0a04" + "0a020102")] // an id that cannot be one
    [InlineData("0800" + "12ff01")] // cut short
    public void Anything_else_is_no_message(string hex) =>
        AutonatMessage.TryRead(Convert.FromHexString(hex), out _).Should().BeFalse();

    [Fact]
    public void Messages_are_bounded()
    {
        byte[] text = new AutonatMessage.Response(AutonatStatus.Ok, new string('x', 5000), null).ToArray();
        AutonatMessage.TryRead(text, out AutonatMessage? read).Should().BeTrue();
        ((AutonatMessage.Response)read!).Text.Should().HaveLength(256);

        byte[] many = new AutonatMessage.Dial(null, [.. Enumerable.Range(1, 100).Select(At)]).ToArray();
        AutonatMessage.TryRead(many, out read).Should().BeTrue();
        ((AutonatMessage.Dial)read!).Addresses.Should().HaveCount(AutonatMessage.MaximumAddresses);

        AutonatMessage.TryRead(new byte[AutonatMessage.MaximumLength + 1], out _).Should().BeFalse();
        Prop.ForAll<byte[]>(bytes => !AutonatMessage.TryRead(bytes, out AutonatMessage? any) || AutonatMessage.TryRead(any.ToArray(), out _))
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Only_the_observed_address_is_dialled()
    {
        Multiaddr[] asked =
        [
            At(4001),
            Multiaddr.Parse("/ip4/203.0.113.1/tcp/4001"), // a third
            Multiaddr.Parse("/dns4/victim.example/tcp/4001"), // may lead anywhere
            Multiaddr.Parse("/ip4/198.51.100.7/tcp/0"),
            Multiaddr.Parse($"/ip4/198.51.100.7/tcp/1/p2p/{Hosts.Peer(1)}/p2p-circuit"),
            Multiaddr.Parse("/ip6/::ffff:198.51.100.7/tcp/4001"),
            At(4001),
            At(4002),
        ];

        AutonatServer.Dialable(asked, Observed, dialsPrivate: true).Should().Equal(At(4001), At(4002));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.1.2.3")]
    [InlineData("172.31.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("169.254.1.1")]
    [InlineData("100.64.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    [InlineData("fe80::1")]
    [InlineData("fd00::1")]
    public void Private_addresses_are_dialled_only_where_it_is_configured(string ip)
    {
        IPAddress observed = IPAddress.Parse(ip);
        Multiaddr address = Multiaddr.From(new IPEndPoint(observed, 4001));

        AutonatServer.Dialable([address], observed, dialsPrivate: false).Should().BeEmpty();
        AutonatServer.Dialable([address], observed, dialsPrivate: true).Should().Equal(address);
    }

    [Fact]
    public void Requests_are_counted_by_peer_and_in_all_and_forgotten_after_a_minute()
    {
        ManualTime time = new();
        PeerRate rate = new(perPeer: 2, inAll: 3, time);

        rate.TryTake(Hosts.Peer(1)).Should().BeTrue();
        time.Advance(TimeSpan.FromSeconds(30));
        rate.TryTake(Hosts.Peer(1)).Should().BeTrue();
        rate.TryTake(Hosts.Peer(1)).Should().BeFalse("the peer has had two");
        rate.TryTake(Hosts.Peer(2)).Should().BeTrue();
        rate.TryTake(Hosts.Peer(3)).Should().BeFalse("there were three");
        time.Advance(TimeSpan.FromSeconds(30));
        rate.TryTake(Hosts.Peer(1)).Should().BeTrue("the minute is over");
        rate.TryTake(Hosts.Peer(3)).Should().BeTrue();
    }

    [Fact]
    public void Several_must_say_the_same()
    {
        ReachabilityAnswers answers = new(needed: 3, lifetime: TimeSpan.FromHours(1));
        Say(answers, 1, reached: false).Should().Be(Reachability.Unknown);
        Say(answers, 1, reached: false).Should().Be(Reachability.Unknown, "one peer has one voice");
        Say(answers, 2, reached: false).Should().Be(Reachability.Unknown);
        Say(answers, 3, reached: false).Should().Be(Reachability.Private);
        Say(answers, 4, reached: true).Should().Be(Reachability.Private);
        Say(answers, 5, reached: true).Should().Be(Reachability.Private);
        Say(answers, 6, reached: true).Should().Be(Reachability.Private, "as many say the one as the other");
        Say(answers, 1, reached: true).Should().Be(Reachability.Public, "a peer may change its mind");
    }

    [Fact]
    public void Old_answers_do_not_count()
    {
        ReachabilityAnswers answers = new(needed: 2, lifetime: TimeSpan.FromHours(1));
        Say(answers, 1, reached: true);
        Say(answers, 2, reached: false, hour: 2);
        Say(answers, 3, reached: false, hour: 2).Should().Be(Reachability.Private);
    }

    private static Multiaddr At(int port) => Multiaddr.Parse($"/ip4/198.51.100.7/tcp/{port}");

    private static Reachability Say(ReachabilityAnswers answers, byte peer, bool reached, int hour = 0)
    {
        answers.Add(Hosts.Peer(peer), reached, DateTimeOffset.UnixEpoch.AddHours(hour));
        return answers.Reachability;
    }
}
