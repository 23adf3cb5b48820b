using System.Net;
using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Relay;

public sealed class RelayTableTests
{
    private static readonly RelayLimits Few = new() { Reservations = 3, ReservationsPerAddress = 2, Circuits = 3, CircuitsPerPeer = 2 };

    private readonly ManualTime _time = new();
    private readonly RelayTable _table;

    public RelayTableTests() => _table = new RelayTable(Few, _time);

    [Fact]
    public void Reservations_are_bounded_in_all_and_by_address()
    {
        Reserve(1, "192.0.2.1").Should().BeTrue();
        Reserve(2, "192.0.2.1").Should().BeTrue();
        Reserve(3, "192.0.2.1").Should().BeFalse("two are at that address");
        Reserve(3, "192.0.2.2").Should().BeTrue();
        Reserve(4, "192.0.2.3").Should().BeFalse("there are three");
        Reserve(1, "192.0.2.1").Should().BeTrue("a refresh is no second reservation");
        _table.Release(Hosts.Peer(2));
        Reserve(4, "192.0.2.3").Should().BeTrue();
        _table.Reserved().Should().BeEquivalentTo([Hosts.Peer(1), Hosts.Peer(3), Hosts.Peer(4)]);
    }

    [Fact]
    public void Of_IPv6_a_network_counts_as_one_address()
    {
        Reserve(1, "2001:db8::1").Should().BeTrue();
        Reserve(2, "2001:db8::ffff:2").Should().BeTrue();
        Reserve(3, "2001:db8::3").Should().BeFalse("whoever has one address of a network has them all");
        Reserve(3, "2001:db8:0:1::1").Should().BeTrue();
    }

    [Fact]
    public void Reservations_end_and_make_room()
    {
        Reserve(1, "192.0.2.1").Should().BeTrue();
        _time.Advance(Few.ReservationDuration / 2);
        _table.TryReserve(Hosts.Peer(2), IPAddress.Parse("192.0.2.1"), out DateTimeOffset expires).Should().BeTrue();
        expires.Should().Be(_time.GetUtcNow() + Few.ReservationDuration);

        _time.Advance(Few.ReservationDuration / 2);

        _table.HasReservation(Hosts.Peer(1)).Should().BeFalse();
        _table.HasReservation(Hosts.Peer(2)).Should().BeTrue();
        Reserve(3, "192.0.2.1").Should().BeTrue("the first has made room");
    }

    [Fact]
    public void Circuits_are_bounded_in_all_and_by_peer_at_either_end()
    {
        Open(1, 2).Should().BeTrue();
        Open(1, 3).Should().BeTrue();
        Open(1, 4).Should().BeFalse("the source has two");
        Open(4, 1).Should().BeFalse("the target has two");
        Open(2, 3).Should().BeTrue();
        Open(5, 6).Should().BeFalse("there are three");
        _table.CloseCircuit(Hosts.Peer(1), Hosts.Peer(2));
        Open(1, 4).Should().BeTrue();
    }

    private bool Reserve(byte peer, string address) => _table.TryReserve(Hosts.Peer(peer), IPAddress.Parse(address), out _);

    private bool Open(byte source, byte target) => _table.TryOpenCircuit(Hosts.Peer(source), Hosts.Peer(target));
}
