using FluentAssertions;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios.Relay;

/// <summary>Whom a host asks for reservations by itself, and when.</summary>
public sealed class RelayKeepingTests
{
    [Fact]
    public async Task A_relay_that_refused_is_asked_again_after_ever_longer_and_once_when_somebody_else_was_dialled()
    {
        ManualTime time = new();
        await using Libp2pHost refusing = Hosts.Start(1);
        await using Libp2pHost serving = Hosts.Start(2);
        await using Libp2pHost caller = Hosts.Start(3);

        // The clock is moved on while an answer may be on its way, which must not make it late.
        TimeSpan never = TimeSpan.FromDays(1);
        await using Libp2pHost hidden = Hosts.Start(4, options => options with { Time = time, NegotiationDeadline = never, HandshakeDeadline = never });
        int asked = 0;
        refusing.Handle(CircuitRelay.HopId, async (stream, _, ended) =>
        {
            await LengthPrefix.ReadAsync(stream.Input, HopMessage.MaximumLength, ended);
            Interlocked.Increment(ref asked);
            await RelayStream.EndWithAsync(stream, HopMessage.Refusal(RelayStatus.ReservationRefused).ToArray(), ended);
        });
        await using CircuitRelay relay = new(serving, new CircuitRelayOptions { Serves = true });
        Multiaddr[] given = [refusing.ListenAddresses[0].WithPeer(refusing.PeerId)];
        await using CircuitRelay keeper = new(
            hidden, new CircuitRelayOptions { Relays = given, AsksConnectedPeers = true, Use = RelayUse.Always, ReservationCount = 1 });

        // From now on the pause is 16 s or more, and longer than what is waited below.
        int seconds = await AdvanceUntilAsync(() => Volatile.Read(ref asked) == 5);
        seconds.Should().BeGreaterThan(1 + 2 + 4 + 8);

        await caller.ConnectAsync(hidden);
        await hidden.ConnectWithoutLookingAsync(refusing);
        int waited = 0;
        await AdvanceUntilAsync(() => ++waited == 10);
        asked.Should().Be(5, "neither who dials us nor the relay itself is somebody else to ask");

        await hidden.ConnectAsync(serving);
        await AdvanceUntilAsync(() => keeper.Reservations.Count == 1);
        keeper.Reservations.Single().Relay.Should().Be(serving.PeerId);
        asked.Should().Be(6);

        async Task<int> AdvanceUntilAsync(Func<bool> condition)
        {
            int advanced = 0;
            CancellationToken late = Hosts.Patience;
            while (!condition())
            {
                time.Advance(TimeSpan.FromSeconds(1));
                advanced++;
                await Task.Delay(20, late);
            }

            return advanced;
        }
    }
}
