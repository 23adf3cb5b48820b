using System.Globalization;
using System.Text.Json;
using FluentAssertions;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Libp2p.Tests.Interop;

/// <summary>Signed peer records and pushes between js-libp2p and ours, both ways.</summary>
public sealed class JsPeerRecordTests(JsPeerFixture fixture) : IClassFixture<JsPeerFixture>, IAsyncLifetime
{
    private static byte _hosts = 140;

    // A new peer each time, as js keeps the newest record of each that it has seen.
    private readonly Libp2pHost _host = Hosts.Start(_hosts++, options => options with { PushDelay = TimeSpan.FromMilliseconds(20) });
    private PeerConnection _connection = null!;

    private ForeignPeer Js => fixture.Js;

    private CancellationToken Late { get; } = Hosts.Patience;

    private string Us => _host.PeerId.ToString();

    public async Task InitializeAsync() => _connection = await _host.DialAsync(Multiaddr.Parse(Js.Address), Late);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task The_record_of_js_in_identify_is_believed()
    {
        IdentifyMessage js = (await _connection.Identified)!;
        js.RecordFault.Should().Be(RecordFault.None);
        js.Record!.Peer.ToString().Should().Be(Js.PeerId);
        _host.AddressBook.RecordOf(_connection.Remote)!.Record.Addresses.Should().Contain(Multiaddr.Parse(Js.Address).WithoutPeer());
    }

    [Fact]
    public async Task Our_record_is_certified_in_the_peer_store_of_js()
    {
        JsonElement us = await KnownAsync(known => known.GetProperty("sequence").ValueKind == JsonValueKind.String);
        us.GetProperty("sequence").GetString().Should().Be(
            _host.AddressBook.RecordOf(_host.PeerId)!.Record.Sequence.ToString(CultureInfo.InvariantCulture));
        JsonElement address = us.GetProperty("addresses").EnumerateArray().Should().ContainSingle().Which;
        address.GetProperty("address").GetString().Should().Be(_host.AnnouncedAddresses[0].ToString());
        address.GetProperty("isCertified").GetBoolean().Should().BeTrue();
    }

    [Fact]
    public async Task Js_takes_our_push()
    {
        await KnownAsync(known => known.GetProperty("sequence").ValueKind == JsonValueKind.String);
        Multiaddr added = Multiaddr.Parse("/dns4/ours.example/tcp/4001");

        _host.Handle("/ours/new/1", (_, _, _) => Task.CompletedTask);
        _host.Announce("test", [added]);

        await KnownAsync(known => known.GetProperty("protocols").EnumerateArray().Any(protocol => protocol.GetString() == "/ours/new/1")
            && known.GetProperty("addresses").EnumerateArray().Any(address =>
                address.GetProperty("address").GetString() == added.ToString() && address.GetProperty("isCertified").GetBoolean()));
    }

    [Fact]
    public async Task We_take_the_push_of_js()
    {
        await _connection.Identified;
        await KnownAsync(known => known.GetProperty("protocols").GetArrayLength() > 0);
        ulong before = _host.AddressBook.RecordOf(_connection.Remote)!.Record.Sequence;
        TaskCompletionSource<IdentifyMessage> pushed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        string protocol = $"/js/new/{_host.PeerId}";
        _host.PeerIdentified += (_, message) =>
        {
            if (message.Protocols.Contains(protocol))
            {
                pushed.TrySetResult(message);
            }
        };

        await Js.AskAsync("answer", new { protocol }, Late);

        IdentifyMessage message = await pushed.Task.WaitAsync(Late);
        message.Record!.Record.Sequence.Should().BeGreaterThan(before);
        message.ListenAddresses.Should().Contain(Multiaddr.Parse(Js.Address).WithoutPeer());
    }

    [Fact]
    public async Task Envelopes_open_on_the_other_side_with_the_same_content()
    {
        string[] addresses = ["/ip4/192.0.2.1/tcp/4001", "/dns6/peer.example/tcp/443"];
        JsonElement signed = await Js.AskAsync("sign", new { sequence = "18446744073709551615", addresses }, Late);
        SignedPeerRecord.TryOpen(signed.GetProperty("envelope").GetBytesFromBase64(), out SignedPeerRecord? theirs).Should().Be(RecordFault.None);
        theirs!.Record.Sequence.Should().Be(ulong.MaxValue);
        theirs.Record.Addresses.Select(address => address.ToString()).Should().Equal(addresses);
        theirs.Envelope.Encoded.ToArray().Should().Equal(signed.GetProperty("envelope").GetBytesFromBase64(), "both write the one encoding");

        SignedPeerRecord ours = SignedPeerRecord.Sign(Hosts.Identity(7), 42, [.. addresses.Select(Multiaddr.Parse)]);
        JsonElement opened = await Js.AskAsync("openEnvelope", new { envelope = Convert.ToBase64String(ours.Envelope.Encoded.Span) }, Late);
        opened.GetProperty("peer").GetString().Should().Be(Hosts.Peer(7).ToString());
        opened.GetProperty("sequence").GetString().Should().Be("42");
        opened.GetProperty("addresses").EnumerateArray().Select(address => address.GetString()).Should().Equal(addresses);
    }

    /// <summary>What js knows of us, once it is as expected.</summary>
    private async Task<JsonElement> KnownAsync(Func<JsonElement, bool> isExpected)
    {
        while (true)
        {
            try
            {
                JsonElement known = await Js.AskAsync("known", new { peer = Us }, Late);
                if (isExpected(known))
                {
                    return known;
                }
            }
            catch (InvalidOperationException)
            {
                // Not in its peer store yet.
            }

            await Task.Delay(20, Late);
        }
    }
}
