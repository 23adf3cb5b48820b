using System.Net;
using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules;

public sealed class CallerGateTests
{
    private static readonly IPAddress Here = IPAddress.Parse("192.0.2.1");
    private static readonly IPAddress There = IPAddress.Parse("192.0.2.2");

    private readonly ManualTime _time = new();

    [Fact]
    public void Handshakes_are_bounded_in_all_and_from_one_address()
    {
        CallerGate gate = new(new ResourceLimits { PendingHandshakes = 3, PendingHandshakesPerAddress = 2 }, _time);
        CallerGate.Call first = Enter(gate, Here);
        Enter(gate, Here);

        Refused(gate, Here, Libp2pFault.ResourceLimit, nameof(ResourceLimits.PendingHandshakesPerAddress));
        Enter(gate, There);
        Refused(gate, There, Libp2pFault.ResourceLimit, nameof(ResourceLimits.PendingHandshakes));

        first.Dispose();
        first.Dispose();
        Enter(gate, Here);
    }

    [Fact]
    public void Connections_from_one_address_are_bounded_until_they_end()
    {
        CallerGate gate = new(new ResourceLimits { ConnectionsPerAddress = 2, AcceptedPerAddressPerSecond = 1000 }, _time);
        CallerGate.Call first = Enter(gate, Here);
        first.Open();
        Enter(gate, Here).Open();
        _time.Advance(TimeSpan.FromSeconds(1));

        Refused(gate, Here, Libp2pFault.ResourceLimit, nameof(ResourceLimits.ConnectionsPerAddress));
        Enter(gate, There);

        first.Dispose();
        Enter(gate, Here);
    }

    [Fact]
    public void An_address_that_calls_again_and_again_is_slowed_down_after_a_burst()
    {
        CallerGate gate = new(new ResourceLimits { ConnectionsPerAddress = 3, AcceptedPerAddressPerSecond = 2 }, _time);
        for (int i = 0; i < 3; i++)
        {
            Enter(gate, Here).Dispose();
        }

        Refused(gate, Here, Libp2pFault.RateLimit, nameof(ResourceLimits.AcceptedPerAddressPerSecond));
        Enter(gate, There).Dispose();
        _time.Advance(TimeSpan.FromSeconds(0.5));
        Enter(gate, Here).Dispose();
        Refused(gate, Here, Libp2pFault.RateLimit, nameof(ResourceLimits.AcceptedPerAddressPerSecond));
    }

    [Fact]
    public void A_network_of_IPv6_counts_as_one_address_and_a_mapped_one_as_its_own()
    {
        CallerGate gate = new(new ResourceLimits { PendingHandshakesPerAddress = 1 }, _time);
        Enter(gate, IPAddress.Parse("2001:db8::1"));

        Refused(gate, IPAddress.Parse("2001:db8::ffff:2"), Libp2pFault.ResourceLimit, nameof(ResourceLimits.PendingHandshakesPerAddress));
        Enter(gate, IPAddress.Parse("2001:db8:0:1::1"));
        Enter(gate, Here);
        Refused(gate, Here.MapToIPv6(), Libp2pFault.ResourceLimit, nameof(ResourceLimits.PendingHandshakesPerAddress));
    }

    [Fact]
    public void Addresses_of_which_nothing_is_left_are_forgotten()
    {
        CallerGate gate = new(new ResourceLimits(), _time);
        for (int i = 0; i < 20_000; i++)
        {
            Enter(gate, new IPAddress([10, (byte)(i >> 16), (byte)((i >> 8) & 0xFF), (byte)(i & 0xFF)])).Dispose();
            _time.Advance(TimeSpan.FromMilliseconds(1));
        }

        gate.KnownAddresses.Should().BeLessThan(5000);
    }

    private static CallerGate.Call Enter(CallerGate gate, IPAddress from)
    {
        gate.TryEnter(from, out CallerGate.Call? call).Should().BeNull();
        return call!;
    }

    private static void Refused(CallerGate gate, IPAddress from, Libp2pFault fault, string limit)
    {
        Libp2pException? refusal = gate.TryEnter(from, out CallerGate.Call? call);
        call.Should().BeNull();
        refusal!.Fault.Should().Be(fault);
        refusal.Message.Should().Contain(limit, "the message names what to change");
    }
}
