using System.Text.Json;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary><c>tapestry peer gossip</c> with itself and with js-libp2p, over Noise and TLS.</summary>
public sealed class PeerGossipTests
{
    private const string Topic = "/tapestry/verb";

    private readonly CancellationToken _late = new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    [Theory]
    [InlineData("noise")]
    [InlineData("tls")]
    public async Task Js_hears_what_we_publish_and_we_hear_js(string security)
    {
        await using ForeignPeer js = await ForeignPeer.StartAsync(["--with", "gossip", "--security", security], _late);
        await js.AskAsync("subscribe", new { topic = Topic }, _late);
        PeerVerb verb = PeerVerb.Start(
            ExitCode.Ok, "peer", "gossip", js.Address, "--topic", Topic, "--publish", "from us", "--messages", "1", "--security", security);

        JsonElement received = await js.AskAsync("received", new { atLeast = 1 }, _late);
        await js.AskAsync("publish", new { topic = Topic, text = "from js" }, _late);
        JsonElement gossiped = await verb.EndAsync();

        received.GetProperty("messages")[0].GetProperty("text").GetString().Should().Be("from us");
        received.GetProperty("messages")[0].GetProperty("from").GetString().Should().Be(gossiped.GetProperty("peerId").GetString());
        gossiped.GetProperty("publishedTo").GetInt32().Should().Be(1);
        JsonElement heard = gossiped.GetProperty("messages")[0];
        heard.GetProperty("text").GetString().Should().Be("from js");
        heard.GetProperty("from").GetString().Should().Be(js.PeerId);
    }

    [Fact]
    public async Task Two_of_ours_hear_each_other_and_publishing_alone_ends_by_itself()
    {
        PeerVerb listener = PeerVerb.Start(ExitCode.Ok, "peer", "gossip", "--topic", Topic, "--messages", "1");
        string address = await listener.HearAsync("listening", _late);

        JsonElement published = await PeerVerb.RunAsync(ExitCode.Ok, "peer", "gossip", address, "--topic", Topic, "--publish", "\u001b[31mred");

        published.GetProperty("publishedTo").GetInt32().Should().Be(1);
        (await listener.HearAsync("heard", _late)).Should().EndWith(": 8 bytes", "a peer's words do not steer the terminal");
        JsonElement heard = (await listener.EndAsync()).GetProperty("messages")[0];
        heard.GetProperty("text").GetString().Should().Be("\u001b[31mred");
        heard.GetProperty("from").GetString().Should().Be(published.GetProperty("peerId").GetString());
    }

    [Fact]
    public async Task Publishing_where_nobody_listens_is_an_error_with_a_hint()
    {
        JsonElement error = await PeerVerb.RunAsync(
            ExitCode.Unreachable, "peer", "gossip", "--topic", Topic, "--publish", "hello", "--timeout-seconds", "0.3");
        error.GetProperty("code").GetString().Should().Be("nobody-listens");
        error.GetProperty("hint").GetString().Should().NotBeEmpty();
    }

    [Fact]
    public async Task A_topic_that_is_too_long_is_an_error_with_a_hint()
    {
        JsonElement error = await PeerVerb.RunAsync(ExitCode.Usage, "peer", "gossip", "--topic", new string('t', 300), "--publish", "x");
        error.GetProperty("code").GetString().Should().Be("topic");
    }
}
