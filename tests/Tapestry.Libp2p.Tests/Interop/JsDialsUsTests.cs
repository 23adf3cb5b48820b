using System.Text.Json;
using FluentAssertions;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Libp2p.Tests.Interop;

/// <summary>js-libp2p dials ours, over TCP, Noise and yamux.</summary>
public sealed class JsDialsUsOverNoiseTests(JsPeerFixture fixture) : JsDialsUsTests(fixture, SecurityProtocol.Noise);

/// <summary>js-libp2p dials ours, over TCP, TLS and yamux; it proposes Noise first, which we refuse here.</summary>
public sealed class JsDialsUsOverTlsTests(JsPeerFixture fixture) : JsDialsUsTests(fixture, SecurityProtocol.Tls);

/// <summary>What must hold over every secure channel.</summary>
public abstract class JsDialsUsTests(JsPeerFixture fixture, SecurityProtocol security) : IClassFixture<JsPeerFixture>, IAsyncLifetime
{
    private const int MiB = 1024 * 1024;
    private static int _hosts = 100;

    // A new peer each time: js-libp2p may not have noticed yet that the last one has gone.
    private readonly Libp2pHost _host = Hosts.Start(
        (byte)Interlocked.Increment(ref _hosts), options => options with { AnswersPerf = true, AgentVersion = "ours/1", Security = [security] });
    private readonly TestProtocols _protocols = new();

    private ForeignPeer Js => fixture.Js;

    private CancellationToken Late { get; } = Hosts.Patience;

    private string Us => _host.PeerId.ToString();

    public async Task InitializeAsync()
    {
        _protocols.AnswerOn(_host);
        TaskCompletionSource opened = new();
        _host.ConnectionOpened += _ => opened.TrySetResult();
        JsonElement dialled = await Js.AskAsync("dial", new { address = _host.ListenAddresses[0].ToString() }, Late);
        dialled.GetProperty("peer").GetString().Should().Be(Us);

        // With the muxer in the handshake, js is done before we are.
        await opened.Task.WaitAsync(Late);
    }

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task Each_proves_who_it_is()
    {
        (await Js.AskAsync("ping", new { peer = Us }, Late)).GetProperty("milliseconds").GetDouble().Should().BePositive();
        _host.Connections.Should().ContainSingle().Which.Remote.ToString().Should().Be(Js.PeerId);
        _host.Connections[0].SecurityProtocol.Should().Be(security.Id);
        _host.Connections[0].UsedEarlyMuxer.Should().BeTrue("js-libp2p names its muxers in both handshakes");
    }

    [Fact]
    public async Task Js_refuses_us_under_another_peer_id()
    {
        Multiaddr wrong = _host.ListenAddresses[0].WithPeer(Hosts.Peer(9));
        Func<Task> dialling = () => Js.AskAsync("dial", new { address = wrong.ToString() }, Late);
        await dialling.Should().ThrowAsync<InvalidOperationException>();
    }

    [Fact]
    public async Task Js_reads_what_we_say_of_ourselves()
    {
        JsonElement us = await Js.AskAsync("identify", new { peer = Us }, Late);
        us.GetProperty("peer").GetString().Should().Be(Us);
        us.GetProperty("agent").GetString().Should().Be("ours/1");
        us.GetProperty("listens")[0].GetString().Should().Be(_host.ListenAddresses[0].WithoutPeer().ToString());
        us.GetProperty("protocols").EnumerateArray().Select(protocol => protocol.GetString()).Should().Contain(TestProtocols.Echo);
    }

    [Fact]
    public async Task Sixty_four_mebibytes_go_up() =>
        (await Js.AskAsync("upload", new { peer = Us, bytes = 64 * MiB }, Late)).GetProperty("bytes").GetInt32().Should().Be(64 * MiB);

    [Fact]
    public async Task Sixty_four_mebibytes_come_down() =>
        (await Js.AskAsync("download", new { peer = Us, bytes = 64 * MiB }, Late)).GetProperty("bytes").GetInt32().Should().Be(64 * MiB);

    [Fact]
    public async Task Perf_answers_as_specified() =>
        (await Js.AskAsync("perf", new { peer = Us, upload = 3 * MiB, download = 5 * MiB }, Late))
            .GetProperty("bytes").GetInt32().Should().Be(5 * MiB);

    [Fact]
    public async Task After_the_half_close_of_js_we_go_on_sending() =>
        (await Js.AskAsync("echo", new { peer = Us, bytes = 3 * MiB, sequence = 5 }, Late)).GetProperty("bytes").GetInt32().Should().Be(3 * MiB);

    [Fact]
    public async Task Our_reset_ends_the_stream_at_js_and_not_the_connection()
    {
        JsonElement reset = await Js.AskAsync("awaitReset", new { peer = Us, protocol = TestProtocols.Reset }, Late);
        reset.GetProperty("status").GetString().Should().Be("reset");
        await Js.AskAsync("ping", new { peer = Us }, Late);
    }

    [Fact]
    public async Task A_reset_by_js_ends_our_stream()
    {
        await Js.AskAsync("reset", new { peer = Us, protocol = TestProtocols.Wait }, Late);
        (await _protocols.Waited.Task.WaitAsync(Late)).Should().Be(Libp2pFault.StreamReset);
    }

    [Fact]
    public async Task A_reader_of_ours_that_stalls_holds_up_no_other_stream()
    {
        Task<JsonElement> stalled = Js.AskAsync("stalledUpload", new { peer = Us, bytes = 2 * MiB }, Late);
        (await Js.AskAsync("upload", new { peer = Us, bytes = 8 * MiB }, Late)).GetProperty("bytes").GetInt32().Should().Be(8 * MiB);
        (await Js.AskAsync("download", new { peer = Us, bytes = 8 * MiB }, Late)).GetProperty("bytes").GetInt32().Should().Be(8 * MiB);
        stalled.IsCompleted.Should().BeFalse("we give no window for it");

        _protocols.Resume();
        (await stalled).GetProperty("bytes").GetInt32().Should().Be(2 * MiB);
    }

    [Fact]
    public async Task When_js_says_goodbye_the_connection_ends_in_good_order()
    {
        // js-libp2p closes TLS before its goodbye has left.
        Libp2pFault[] expected = security == SecurityProtocol.Noise ? [Libp2pFault.None] : [Libp2pFault.None, Libp2pFault.ConnectionLost];
        PeerConnection connection = _host.Connections.Single();
        await Js.AskAsync("close", new { peer = Us }, Late);
        expected.Should().Contain(await connection.Completion.WaitAsync(Late));
    }
}
