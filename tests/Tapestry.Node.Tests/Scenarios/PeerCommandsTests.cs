using System.Text.Json;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary><c>tapestry peer …</c> as a script sees it, against our own stack and against js-libp2p.</summary>
public sealed class PeerCommandsTests : IAsyncLifetime
{
    private readonly CancellationToken _late = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;
    private readonly Libp2pHost _ours = OurHost();

    public Task InitializeAsync()
    {
        _ours.Start();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync() => await _ours.DisposeAsync();

    [Fact]
    public Task Identify_ping_and_perf_work_against_ours() =>
        DiagnoseAsync(_ours.ListenAddresses[0].ToString(), _ours.PeerId.ToString(), "ours/1");

    [Fact]
    public async Task Identify_ping_and_perf_work_against_js()
    {
        await using ForeignPeer js = await ForeignPeer.StartAsync(_late);
        await DiagnoseAsync(js.Address, js.PeerId, "js-libp2p/");
    }

    [Theory]
    [InlineData("noise", "/noise")]
    [InlineData("tls", "/tls/1.0.0")]
    public async Task Security_is_chosen_by_name_against_ours_and_js(string name, string protocol)
    {
        await using ForeignPeer js = await ForeignPeer.StartAsync(_late);
        foreach (string address in (string[])[_ours.ListenAddresses[0].ToString(), js.Address])
        {
            JsonElement identified = await PeerVerb.RunAsync(ExitCode.Ok, "peer", "identify", address, "--security", name);
            identified.GetProperty("security").GetString().Should().Be(protocol);
        }
    }

    [Fact]
    public async Task A_peer_that_answers_under_another_id_is_an_error_with_a_hint()
    {
        string wrong = _ours.ListenAddresses[0].WithPeer(PeerId.Parse("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")).ToString();
        JsonElement error = await PeerVerb.RunAsync(ExitCode.Unreachable, "peer", "ping", wrong);
        error.GetProperty("code").GetString().Should().Be("wrong-peer");
        error.GetProperty("hint").GetString().Should().NotBeEmpty();
    }

    [Theory]
    [InlineData("/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN", "unreachable", ExitCode.Unreachable)]
    [InlineData("/ip4/127.0.0.1/tcp/4001", "address", ExitCode.Usage)]
    [InlineData("localhost:4001", "address", ExitCode.Usage)]
    public async Task An_address_that_leads_nowhere_is_an_error_with_a_hint(string address, string code, ExitCode exitCode)
    {
        JsonElement error = await PeerVerb.RunAsync(exitCode, "peer", "identify", address);
        error.GetProperty("code").GetString().Should().Be(code);
    }

    [Fact]
    public async Task Listen_says_where_and_ends_in_good_order()
    {
        JsonElement listened = await PeerVerb.RunAsync(ExitCode.Ok, "peer", "listen", "--for-seconds", "0.01");
        listened.GetProperty("addresses")[0].GetString().Should().StartWith("/ip4/127.0.0.1/tcp/").And.Contain("/p2p/12D3Koo");
    }

    [Fact]
    public async Task A_port_in_use_is_an_error_with_a_hint()
    {
        string taken = _ours.ListenAddresses[0].WithoutPeer().ToString();
        JsonElement error = await PeerVerb.RunAsync(ExitCode.Unreachable, "peer", "listen", "--address", taken, "--for-seconds", "0");
        error.GetProperty("code").GetString().Should().Be("cannot-listen");
    }

    private static async Task DiagnoseAsync(string address, string peerId, string agent)
    {
        JsonElement identified = await PeerVerb.RunAsync(ExitCode.Ok, "peer", "identify", address);
        identified.GetProperty("peerId").GetString().Should().Be(peerId);
        identified.GetProperty("agent").GetString().Should().StartWith(agent);
        identified.GetProperty("protocols").EnumerateArray().Select(protocol => protocol.GetString()).Should().Contain("/perf/1.0.0");

        JsonElement pinged = await PeerVerb.RunAsync(ExitCode.Ok, "peer", "ping", address, "--count", "3");
        pinged.GetProperty("roundTripMs").GetArrayLength().Should().Be(3);

        JsonElement measured = await PeerVerb.RunAsync(ExitCode.Ok, "peer", "perf", address, "--up-mib", "2", "--down-mib", "3");
        measured.GetProperty("downBytes").GetInt32().Should().Be(3 * 1024 * 1024);
        measured.GetProperty("upMBps").GetDouble().Should().BePositive();
    }

    private static Libp2pHost OurHost() => new(
        new Libp2pIdentity(SigningKey.FromSeed([.. Enumerable.Repeat((byte)1, SigningKey.SeedLength)])),
        new Libp2pHostOptions
        {
            ListenAddresses = [Multiaddr.Parse("/ip4/127.0.0.1/tcp/0")],
            AgentVersion = "ours/1",
            AnswersPerf = true,
        });
}
