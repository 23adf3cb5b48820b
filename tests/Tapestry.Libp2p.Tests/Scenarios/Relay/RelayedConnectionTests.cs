using System.Buffers;
using FluentAssertions;
using Tapestry.Libp2p.Tests.Interop;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios.Relay;

/// <summary>Two hosts that talk through a third.</summary>
public sealed class RelayedConnectionTests : IAsyncLifetime
{
    private const int KiB = 1024;
    private const int MiB = 1024 * KiB;

    private readonly Libp2pHost _relay = Hosts.Start(1);
    private readonly Libp2pHost _hidden = Hosts.Start(2, options => options with { ListenAddresses = [] });
    private readonly Libp2pHost _dialer = Hosts.Start(3, options => options with { ListenAddresses = [] });
    private readonly Lock _writing = new();
    private readonly TaskCompletionSource<(PeerId Source, PeerId Target, CircuitEnd End)> _ended = new();

    private CancellationToken Late { get; } = Hosts.Patience;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await _dialer.DisposeAsync();
        await _hidden.DisposeAsync();
        await _relay.DisposeAsync();
    }

    [Fact]
    public async Task Streams_go_both_ways_and_each_end_proves_who_it_is()
    {
        RelayReservation reservation = await ReserveAsync(new CircuitRelayOptions { Serves = true });
        TaskCompletionSource<PeerConnection> arrived = new();
        _hidden.ConnectionOpened += arrived.SetResult;

        PeerConnection connection = await _dialer.DialAsync(reservation.Addresses[0], Late);

        connection.Remote.Should().Be(_hidden.PeerId);
        connection.IsRelayed.Should().BeTrue();
        PeerConnection atHidden = await arrived.Task.WaitAsync(Late);
        atHidden.Remote.Should().Be(_dialer.PeerId);
        atHidden.IsDialer.Should().BeFalse();
        atHidden.IsRelayed.Should().BeTrue();
        (await _dialer.PingAsync(_hidden.PeerId, Late)).Should().BePositive();
        (await _hidden.PingAsync(_dialer.PeerId, Late)).Should().BePositive();
        (await connection.Identified)!.ListenAddresses.Should().Equal(reservation.Addresses[0].WithoutPeer());
        _relay.Connections.Should().HaveCount(2, "the relay sees two connections to itself, and none between the ends");
    }

    [Theory]
    [InlineData("/noise")]
    [InlineData("/tls/1.0.0")]
    public async Task The_relay_sees_ciphertext_only(string security)
    {
        SecurityProtocol only = new[] { SecurityProtocol.Noise, SecurityProtocol.Tls }.Single(protocol => protocol.Id == security);
        await using Libp2pHost hidden = Hosts.Start(4, options => options with { ListenAddresses = [], Security = [only] });
        await using Libp2pHost dialer = Hosts.Start(5, options => options with { ListenAddresses = [], Security = [only] });
        new TestProtocols().AnswerOn(hidden);
        RelayReservation reservation = await ReserveAsync(new CircuitRelayOptions { Serves = true }, hidden);
        ArrayBufferWriter<byte> seen = new();
        _relay.Handle(CircuitRelay.HopId, (stream, _, ended) => EavesdropAsync(stream, hidden.PeerId, seen, ended));

        PeerConnection connection = await dialer.DialAsync(reservation.Addresses[0], Late);
        await using Libp2pStream echo = await connection.OpenStreamAsync(TestProtocols.Echo, Late);
        byte[] secret = System.Security.Cryptography.RandomNumberGenerator.GetBytes(1000);
        await echo.Output.WriteAsync(secret, Late);
        byte[] back = new byte[secret.Length];
        await LengthPrefix.ReadExactlyAsync(echo.Input, back, Late);

        connection.SecurityProtocol.Should().Be(security);
        back.Should().Equal(secret);
        byte[] passed = seen.WrittenSpan.ToArray();
        passed.Length.Should().BeGreaterThan(2 * secret.Length, "it has passed there and back");
        passed.AsSpan().IndexOf(secret.AsSpan(0, 16)).Should().Be(-1);
        passed.AsSpan().IndexOf("/test/echo"u8).Should().Be(-1);
    }

    [Fact]
    public async Task A_reservation_has_the_relays_word_and_limits_of_the_specification()
    {
        RelayReservation reservation = await ReserveAsync(new CircuitRelayOptions { Serves = true });

        reservation.Relay.Should().Be(_relay.PeerId);
        reservation.Voucher!.Relay.Should().Be(_relay.PeerId);
        reservation.Voucher.Peer.Should().Be(_hidden.PeerId);
        reservation.Limit.Should().Be(new ConnectionLimit(TimeSpan.FromMinutes(2), 128 * KiB));
        reservation.Addresses.Should().Equal(Multiaddr.Parse($"{_relay.ListenAddresses[0]}/p2p-circuit/p2p/{_hidden.PeerId}"));
        _hidden.AnnouncedAddresses.Should().Equal(reservation.Addresses[0].WithoutPeer());
    }

    [Fact]
    public async Task Both_ends_know_the_limit()
    {
        RelayReservation reservation = await ReserveAsync(new CircuitRelayOptions { Serves = true });
        TaskCompletionSource<PeerConnection> arrived = new();
        _hidden.ConnectionOpened += arrived.SetResult;

        PeerConnection connection = await _dialer.DialAsync(reservation.Addresses[0], Late);

        ConnectionLimit specified = new(TimeSpan.FromMinutes(2), 128 * KiB);
        connection.Limit.Should().Be(specified);
        (await arrived.Task.WaitAsync(Late)).Limit.Should().Be(specified);
        _dialer.FindConnection(_relay.PeerId)!.Limit.Should().BeNull();
    }

    [Fact]
    public async Task Between_members_there_is_no_limit()
    {
        RelayReservation reservation = await ReserveAsync(new CircuitRelayOptions { Serves = true, IsUnlimited = _ => true });
        new TestProtocols().AnswerOn(_hidden);

        PeerConnection connection = await _dialer.DialAsync(reservation.Addresses[0], Late);

        reservation.Limit.Should().BeNull();
        connection.Limit.Should().BeNull();
        (await TestProtocols.UploadAsync(connection, 16 * MiB, Late)).Should().Be(16 * MiB);
        (await TestProtocols.DownloadAsync(connection, 16 * MiB, Late)).Should().Be(16 * MiB);
    }

    [Fact]
    public async Task More_bytes_than_the_limit_end_the_connection_at_both_ends()
    {
        RelayReservation reservation = await ReserveAsync(new CircuitRelayOptions { Serves = true });
        new TestProtocols().AnswerOn(_hidden);
        PeerConnection connection = await _dialer.DialAsync(reservation.Addresses[0], Late);

        Func<Task> upload = () => TestProtocols.UploadAsync(connection, 256 * KiB, Late);

        await upload.Should().ThrowAsync<Libp2pException>();
        (await _ended.Task.WaitAsync(Late)).Should().Be((_dialer.PeerId, _hidden.PeerId, CircuitEnd.ByteLimit));
        await connection.Completion.WaitAsync(Late);
        _hidden.FindConnection(_relay.PeerId).Should().NotBeNull("only what was relayed ends");
    }

    [Fact]
    public async Task A_goodbye_arrives_through_the_relay()
    {
        RelayReservation reservation = await ReserveAsync(new CircuitRelayOptions { Serves = true });
        TaskCompletionSource<Libp2pFault> closedAtHidden = new();
        _hidden.ConnectionClosed += (_, fault) => closedAtHidden.SetResult(fault);
        PeerConnection connection = await _dialer.DialAsync(reservation.Addresses[0], Late);
        await connection.Identified;

        await connection.CloseAsync();

        (await closedAtHidden.Task.WaitAsync(Late)).Should().Be(Libp2pFault.None);
        (await _ended.Task.WaitAsync(Late)).End.Should().Be(CircuitEnd.Closed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_of_one_end_ends_the_other_at_once_also_while_that_one_reads_nothing(bool sourceResets)
    {
        await ReserveAsync(new CircuitRelayOptions { Serves = true, IsUnlimited = _ => true });
        (Libp2pStream source, Libp2pStream target) = await CircuitAsync();
        (Libp2pStream resetting, Libp2pStream other) = sourceResets ? (source, target) : (target, source);

        // More than the relay and both windows hold: it waits for the other end, which looks at what its window of 256 KiB lets in.
        Task writing = resetting.Output.WriteAsync(new byte[4 * MiB], Late).AsTask();
        await LookUntilAsync(other, 255 * KiB);

        resetting.Reset();

        Func<Task> read = () => LookUntilAsync(other, int.MaxValue);
        (await read.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.StreamReset);
        await FluentActions.Awaiting(() => writing).Should().ThrowAsync<Libp2pException>();
        (await _ended.Task.WaitAsync(Late)).End.Should().Be(CircuitEnd.Broken);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_reset_ends_the_other_end_also_after_all_was_said_one_way(bool sourceResets)
    {
        await ReserveAsync(new CircuitRelayOptions { Serves = true, IsUnlimited = _ => true });
        (Libp2pStream source, Libp2pStream target) = await CircuitAsync();
        (Libp2pStream resetting, Libp2pStream other) = sourceResets ? (source, target) : (target, source);
        await resetting.CompleteWriteAsync(Late);
        (await other.Input.ReadAsync(Late)).IsCompleted.Should().BeTrue();
        other.Aborted.IsCompleted.Should().BeFalse("the other direction is open");

        resetting.Reset();

        await other.Aborted.WaitAsync(Late);
        (await _ended.Task.WaitAsync(Late)).End.Should().Be(CircuitEnd.Broken);
    }

    [Fact]
    public async Task A_direct_connection_is_preferred_and_still_dialled()
    {
        await using Libp2pHost reachable = Hosts.Start(4);
        RelayReservation reservation = await ReserveAsync(new CircuitRelayOptions { Serves = true }, reachable);
        PeerConnection relayed = await _dialer.DialAsync(reservation.Addresses[0], Late);

        PeerConnection direct = await _dialer.DialAsync(reachable.ListenAddresses[0], Late);

        direct.Should().NotBeSameAs(relayed);
        direct.IsRelayed.Should().BeFalse();
        _dialer.FindConnection(reachable.PeerId).Should().BeSameAs(direct);
        (await _dialer.DialAsync(reservation.Addresses[0], Late)).Should().BeSameAs(direct);
    }

    [Fact]
    public async Task While_the_reservation_lasts_an_idle_connection_to_the_relay_stays()
    {
        ResourceLimits impatient = new() { IdleConnection = TimeSpan.FromSeconds(1), IdleSurplusConnection = TimeSpan.FromMilliseconds(100) };
        await using Libp2pHost relay = Hosts.Start(5, options => options with { Limits = impatient });
        await using Libp2pHost reserving = Hosts.Start(6, options => options with { Limits = impatient });
        await using Libp2pHost passing = Hosts.Start(7);
        _ = new CircuitRelay(relay, new CircuitRelayOptions { Serves = true });
        await new CircuitRelay(reserving, new CircuitRelayOptions()).ReserveAsync(relay.ListenAddresses[0], Late);

        PeerConnection idle = await passing.ConnectAsync(relay);
        await idle.Completion.WaitAsync(Late);

        reserving.FindConnection(relay.PeerId).Should().NotBeNull("what is idle for as long, without a reservation, is closed");
    }

    [Fact]
    public async Task One_relay_brings_no_more_connections_than_the_limit()
    {
        ResourceLimits limits = new() { Relay = new RelayLimits { ConnectionsPerRelay = 1 } };
        await using Libp2pHost hidden = Hosts.Start(4, options => options with { ListenAddresses = [], Limits = limits });
        RelayReservation reservation = await ReserveAsync(new CircuitRelayOptions { Serves = true }, hidden);
        await _dialer.DialAsync(reservation.Addresses[0], Late);
        await hidden.ConnectionToAsync(_dialer.PeerId);

        Func<Task> another = () => _hidden.DialAsync(reservation.Addresses[0], Late);

        (await another.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.RelayConnectionFailed);
    }

    // A relay that writes down what it passes on.
    private async Task EavesdropAsync(Libp2pStream source, PeerId target, ArrayBufferWriter<byte> seen, CancellationToken ended)
    {
        await LengthPrefix.ReadAsync(source.Input, HopMessage.MaximumLength, ended);
        await using Libp2pStream onward = await _relay.OpenStreamAsync(target, CircuitRelay.StopId, ended);
        StopMessage request = new() { Type = StopMessageType.Connect, Peer = source.Remote };
        await LengthPrefix.WriteAsync(onward.Output, request.ToArray(), ended);
        await LengthPrefix.ReadAsync(onward.Input, StopMessage.MaximumLength, ended);
        await LengthPrefix.WriteAsync(source.Output, new HopMessage { Type = HopMessageType.Status, Status = RelayStatus.Ok }.ToArray(), ended);
        await Task.WhenAll(PassAsync(source, onward), PassAsync(onward, source));

        async Task PassAsync(Libp2pStream from, Libp2pStream to)
        {
            while (await from.Input.ReadAsync(ended) is { IsCompleted: false } read)
            {
                foreach (ReadOnlyMemory<byte> part in read.Buffer)
                {
                    lock (_writing)
                    {
                        seen.Write(part.Span);
                    }

                    await to.Output.WriteAsync(part, ended);
                }

                from.Input.AdvanceTo(read.Buffer.End);
            }
        }
    }

    // The two streams that the relay joins, with no connection over them.
    private async Task<(Libp2pStream Source, Libp2pStream Target)> CircuitAsync()
    {
        TaskCompletionSource<Libp2pStream> arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _hidden.Handle(CircuitRelay.StopId, async (stream, _, ended) =>
        {
            await RelayStream.ReadStopAsync(stream, ended);
            await RelayStream.WriteAsync(stream, StopMessage.Answer(RelayStatus.Ok).ToArray(), ended);
            arrived.SetResult(stream);
            await Task.Delay(Timeout.Infinite, ended);
        });
        PeerConnection toRelay = await _dialer.ConnectAsync(_relay);
        Libp2pStream source = await toRelay.OpenStreamAsync(CircuitRelay.HopId, Late);
        await RelayStream.AskAsync(source, new HopMessage { Type = HopMessageType.Connect, Peer = _hidden.PeerId }, Late);
        return (source, await arrived.Task.WaitAsync(Late));
    }

    // Waits for so many bytes, and takes none of them.
    private async Task LookUntilAsync(Libp2pStream stream, int bytes)
    {
        long seen = 0;
        while (seen < bytes)
        {
            System.IO.Pipelines.ReadResult read = await stream.Input.ReadAsync(Late);
            read.IsCompleted.Should().BeFalse("it does not end in order");
            seen = read.Buffer.Length;
            stream.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private Task<RelayReservation> ReserveAsync(CircuitRelayOptions options, Libp2pHost? of = null)
    {
        CircuitRelay hop = new(_relay, options);
        hop.CircuitEnded += (source, target, end) => _ended.TrySetResult((source, target, end));
        CircuitRelay client = new(of ?? _hidden, new CircuitRelayOptions());
        return client.ReserveAsync(_relay.ListenAddresses[0], Late);
    }
}
