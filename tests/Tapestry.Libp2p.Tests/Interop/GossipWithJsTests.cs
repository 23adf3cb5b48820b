using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using FluentAssertions;
using Tapestry.Libp2p.Gossip;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Libp2p.Tests.Interop;

/// <summary>Gossipsub with js-libp2p, signed by both; js always sends its key beside the signature.</summary>
public sealed class GossipWithJsTests : IAsyncLifetime
{
    private const string Topic = "/tapestry/interop";

    private readonly Libp2pHost _host = Hosts.Start(1);
    private readonly Channel<GossipMessage> _heard = Channel.CreateUnbounded<GossipMessage>();
    private readonly List<GossipFault> _faults = [];
    private Gossipsub _gossip = null!;
    private ForeignPeer _js = null!;

    private CancellationToken Late { get; } = Hosts.Patience;

    private PeerId JsPeer => PeerId.Parse(_js.PeerId);

    public async Task InitializeAsync()
    {
        _js = await ForeignPeer.StartAsync(["--with", "gossip"], Late);
        _gossip = Start(_host);
        _gossip.Blamed += (_, fault) => _faults.Add(fault);
    }

    public async Task DisposeAsync()
    {
        await _gossip.DisposeAsync();
        await _host.DisposeAsync();
        await _js.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Each_hears_and_believes_the_other_whoever_dialled(bool weDial)
    {
        await MeetAsync(weDial);

        for (int number = 0; number < 50; number++)
        {
            await _js.AskAsync("publish", new { topic = Topic, text = $"from js {number}" }, Late);
            (await _gossip.PublishAsync(Topic, Encoding.UTF8.GetBytes($"from us {number}"), Late)).Should().Be(1);
        }

        List<string> heard = [];
        for (int number = 0; number < 50; number++)
        {
            GossipMessage message = await _heard.Reader.ReadAsync(Late);
            message.Author.Should().Be(JsPeer);
            message.Signed.Key.IsEmpty.Should().BeFalse("js sends its key also where the author's id contains it");
            heard.Add(Encoding.UTF8.GetString(message.Data.Span));
        }

        heard.Should().BeEquivalentTo(Enumerable.Range(0, 50).Select(number => $"from js {number}"));
        JsonElement messages = (await _js.AskAsync("received", new { atLeast = 50 }, Late)).GetProperty("messages");
        messages.EnumerateArray().Select(message => message.GetProperty("text").GetString())
            .Should().BeEquivalentTo(Enumerable.Range(0, 50).Select(number => $"from us {number}"));
        messages.EnumerateArray().Should().OnlyContain(message => message.GetProperty("from").GetString() == _host.PeerId.ToString());
        _faults.Should().BeEmpty();
    }

    [Fact]
    public async Task Messages_of_64_KiB_go_both_ways()
    {
        await MeetAsync(weDial: true);
        byte[] data = new byte[64 * 1024];
        for (int number = 0; number < 20; number++)
        {
            await _gossip.PublishAsync(Topic, data, Late);
            await _js.AskAsync("publish", new { topic = Topic, bytes = data.Length }, Late);
        }

        for (int number = 0; number < 20; number++)
        {
            (await _heard.Reader.ReadAsync(Late)).Data.Length.Should().Be(data.Length);
        }

        JsonElement messages = (await _js.AskAsync("received", new { atLeast = 20 }, Late)).GetProperty("messages");
        messages.EnumerateArray().Should().HaveCount(20).And.OnlyContain(message => message.GetProperty("bytes").GetInt32() == data.Length);
        _faults.Should().BeEmpty();
    }

    [Fact]
    public async Task Js_grafts_us_prunes_us_when_it_leaves_and_takes_us_back_after_the_back_off()
    {
        await MeetAsync(weDial: true);
        _gossip.MeshOf(Topic).Should().Equal(JsPeer);
        await _js.AskAsync("unsubscribe", new { topic = Topic }, Late);
        await Until(() => _gossip.PeersOf(Topic).Count == 0 && _gossip.MeshOf(Topic).Count == 0);

        await _js.AskAsync("subscribe", new { topic = Topic }, Late);
        await Until(() => _gossip.PeersOf(Topic).Count == 1);
        _gossip.MeshOf(Topic).Should().BeEmpty("the back-off after leaving is 10 s");
        await Until(() => _gossip.MeshOf(Topic).Count == 1);
        _faults.Should().BeEmpty("both kept to the back-off");
    }

    private static Gossipsub Start(Libp2pHost host) => new(host, new GossipOptions());

    private async Task MeetAsync(bool weDial)
    {
        _gossip.Subscribe(Topic, async (message, cancelled) =>
        {
            await _heard.Writer.WriteAsync(message, cancelled);
            return GossipVerdict.Accept;
        });
        await _js.AskAsync("subscribe", new { topic = Topic }, Late);
        if (weDial)
        {
            await _host.DialAsync(Multiaddr.Parse(_js.Address), Late);
        }
        else
        {
            await _js.AskAsync("dial", new { address = _host.ListenAddresses[0].ToString() }, Late);
        }

        await Until(() => _gossip.MeshOf(Topic).Count == 1);
        JsonElement peers;
        do
        {
            peers = await _js.AskAsync("gossipPeers", new { topic = Topic }, Late);
        }
        while (peers.GetProperty("mesh").GetArrayLength() == 0);
    }

    private async Task Until(Func<bool> holds)
    {
        while (!holds())
        {
            await Task.Delay(10, Late);
        }
    }
}
