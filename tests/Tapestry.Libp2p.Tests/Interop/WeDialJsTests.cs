using System.Text.Json;
using FluentAssertions;
using Tapestry.Libp2p.Tests.Scenarios.Yamux;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Libp2p.Tests.Interop;

/// <summary>Ours dials js-libp2p, over TCP, Noise and yamux.</summary>
public sealed class WeDialJsOverNoiseTests(JsPeerFixture fixture) : WeDialJsTests(fixture, SecurityProtocol.Noise);

/// <summary>Ours dials js-libp2p, over TCP, TLS and yamux.</summary>
public sealed class WeDialJsOverTlsTests(JsPeerFixture fixture) : WeDialJsTests(fixture, SecurityProtocol.Tls);

/// <summary>What must hold over every secure channel.</summary>
public abstract class WeDialJsTests(JsPeerFixture fixture, SecurityProtocol security) : IClassFixture<JsPeerFixture>, IAsyncLifetime
{
    private const int MiB = 1024 * 1024;
    // As patient with js as js is told to be with us: on a busy machine it may take long over two hundred streams.
    private readonly Libp2pHost _host = Hosts.Start(
        1, options => options with { Security = [security], NegotiationDeadline = TimeSpan.FromSeconds(60) });
    private PeerConnection _connection = null!;

    private ForeignPeer Js => fixture.Js;

    private CancellationToken Late { get; } = Hosts.Patience;

    public async Task InitializeAsync() => _connection = await _host.DialAsync(Multiaddr.Parse(Js.Address), Late);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Each_proves_who_it_is()
    {
        _connection.Remote.ToString().Should().Be(Js.PeerId);
        _connection.SecurityProtocol.Should().Be(security.Id);
        _connection.UsedEarlyMuxer.Should().BeTrue("js-libp2p names its muxers in both handshakes");

        // Whoever dials has the connection a moment sooner.
        await _host.PingAsync(_connection.Remote, Late);
        JsonElement connections = await Js.AskAsync("connections", new { }, Late);
        connections.GetProperty("peers").EnumerateArray().Select(peer => peer.GetString()).Should().Contain(_host.PeerId.ToString());
    }

    [Fact]
    public async Task Another_peer_id_at_that_address_is_refused()
    {
        Multiaddr wrong = Multiaddr.Parse(Js.Address).WithPeer(Hosts.Peer(9));
        Func<Task> dialling = () => _host.DialAsync(wrong, Late);
        (await dialling.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.WrongPeer);
    }

    [Fact]
    public async Task Js_identifies_itself()
    {
        IdentifyMessage? js = await _connection.Identified;
        js!.AgentVersion.Should().StartWith("js-libp2p/");
        js.Protocols.Should().Contain(["/ipfs/id/1.0.0", "/ipfs/ping/1.0.0", TestProtocols.Echo]);
        js.ListenAddresses.Should().Contain(Multiaddr.Parse(Js.Address).WithoutPeer());
        PeerId.From(js.PublicKey!).Should().Be(_connection.Remote);
    }

    [Fact]
    public async Task Pings_come_back() => (await _host.PingAsync(_connection.Remote, Late)).Should().BePositive();

    [Fact]
    public async Task Sixty_four_mebibytes_go_up() =>
        (await TestProtocols.UploadAsync(_connection, 64 * MiB, Late)).Should().Be(64 * MiB);

    [Fact]
    public async Task Sixty_four_mebibytes_come_down() =>
        (await TestProtocols.DownloadAsync(_connection, 64 * MiB, Late)).Should().Be(64 * MiB);

    [Fact]
    public async Task Perf_answers_as_specified()
    {
        PerfMeasurement measured = await _host.MeasureAsync(_connection.Remote, 3 * MiB, 5 * MiB, Late);
        measured.Downloaded.Should().BePositive();
    }

    [Fact]
    public async Task After_our_half_close_js_goes_on_sending()
    {
        await using Libp2pStream stream = await _connection.OpenStreamAsync(TestProtocols.Echo, Late);
        Task<long> back = Numbered.ReadAsync(stream.Input, 7, Late);
        await Numbered.WriteAsync(stream.Output, 7, 3 * MiB, 10_000, Late);
        await stream.CompleteWriteAsync(Late);
        (await back).Should().Be(3 * MiB);
    }

    [Fact]
    public async Task A_reset_by_js_ends_our_stream_and_not_the_connection()
    {
        await using Libp2pStream stream = await _connection.OpenStreamAsync(TestProtocols.Reset, Late);
        await stream.Output.WriteAsync(new byte[10], Late);
        Func<Task> reading = async () => await stream.Input.ReadAsync(Late);
        (await reading.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.StreamReset);
        (await _host.PingAsync(_connection.Remote, Late)).Should().BePositive();
    }

    [Fact]
    public async Task A_reset_by_us_ends_the_stream_at_js()
    {
        Libp2pStream stream = await _connection.OpenStreamAsync(TestProtocols.Wait, Late);
        await Numbered.WriteAsync(stream.Output, 0, 100_000, 10_000, Late);
        stream.Reset();
        await _host.PingAsync(_connection.Remote, Late);
        JsonElement resets = await Js.AskAsync("resets", new { }, Late);
        resets.GetProperty("statuses").EnumerateArray().Select(status => status.GetString()).Should().Equal("reset");
    }

    [Fact]
    public async Task A_js_reader_that_stalls_holds_up_no_other_stream()
    {
        await using Libp2pStream slow = await _connection.OpenStreamAsync(TestProtocols.Stall, Late);
        Task stalled = Numbered.WriteAsync(slow.Output, 0, 2 * MiB, 64 * 1024, Late);

        (await TestProtocols.UploadAsync(_connection, 8 * MiB, Late)).Should().Be(8 * MiB);
        (await TestProtocols.DownloadAsync(_connection, 8 * MiB, Late)).Should().Be(8 * MiB);
        stalled.IsCompleted.Should().BeFalse("js gives no window for it");

        Task<JsonElement> resumed = Js.AskAsync("resume", new { }, Late);
        await stalled;
        await slow.CompleteWriteAsync(Late);
        (await resumed).GetProperty("bytes")[0].GetInt32().Should().Be(2 * MiB);
    }

    [Fact]
    public async Task Two_hundred_streams_at_once_are_echoed()
    {
        Task[] echoes = [.. Enumerable.Range(0, 200).Select(EchoAsync)];
        try
        {
            await Task.WhenAll(echoes);
        }
        catch (Libp2pException refused)
        {
            JsonElement why = await Js.AskAsync("failures", new { }, Late);
            throw new InvalidOperationException(
                $"{echoes.Count(echo => echo.IsFaulted)} streams failed, the first with {refused.Fault}; js says {why.GetRawText()}", refused);
        }
    }

    private async Task EchoAsync(int number)
    {
        await using Libp2pStream stream = await _connection.OpenStreamAsync(TestProtocols.Echo, Late);
        await Numbered.WriteAsync(stream.Output, number, 5000, 1000, Late);
        await stream.CompleteWriteAsync(Late);
        (await Numbered.ReadAsync(stream.Input, number, Late)).Should().Be(5000);
    }
}
