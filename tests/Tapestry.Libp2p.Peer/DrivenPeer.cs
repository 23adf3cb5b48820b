using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Tapestry.Crypto;

namespace Tapestry.Libp2p.Peer;

/// <summary>A host, and what a driver may ask of it.</summary>
internal sealed class DrivenPeer : IAsyncDisposable
{
    private const string Echo = "/test/echo/1.0.0";

    private readonly Libp2pIdentity _identity;
    private readonly Libp2pHost _host;
    private readonly Autonat _autonat;
    private readonly CircuitRelay _relay;

    internal DrivenPeer(List<string> listen, List<string> relays, bool serves)
    {
        _identity = new Libp2pIdentity(SigningKey.FromSeed(RandomNumberGenerator.GetBytes(SigningKey.SeedLength)));
        _host = new Libp2pHost(_identity, new Libp2pHostOptions { ListenAddresses = [.. listen.Select(Multiaddr.Parse)] });
        _host.Handle(Echo, async (stream, _, ended) =>
        {
            await stream.Input.CopyToAsync(stream.Output, ended);
            await stream.CompleteWriteAsync(ended);
        });
        _autonat = new Autonat(_host, new AutonatOptions { Serves = serves, Asks = !serves, AnswersNeeded = 1 });
        _relay = new CircuitRelay(_host, new CircuitRelayOptions
        {
            Serves = serves,
            IsUnlimited = static _ => true,
            Relays = [.. relays.Select(Multiaddr.Parse)],
            Autonat = _autonat,
        });
        _host.Start();
    }

    internal string PeerId => _host.PeerId.ToString();

    internal IEnumerable<string> Addresses => _host.ListenAddresses.Select(address => address.ToString());

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _relay.DisposeAsync();
        await _autonat.DisposeAsync();
        await _host.DisposeAsync();
        _identity.Dispose();
    }

    internal async Task<object> DoAsync(JsonNode message)
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds((double?)message["seconds"] ?? 30));
        switch ((string)message["command"]!)
        {
            case "dial":
                PeerConnection connection = await _host.DialAsync(Multiaddr.Parse((string)message["address"]!), late.Token);
                return new { peer = connection.Remote.ToString(), relayed = connection.IsRelayed };
            case "ask":
                AutonatMessage.Response answer = await _autonat.AskAsync(Peer(message), late.Token);
                return new { status = answer.Status.ToString(), address = answer.Address?.ToString() };
            case "reachability":
                return new { reachability = _autonat.Reachability.ToString(), reservations = _relay.Reservations.SelectMany(held => held.Addresses).Select(address => address.ToString()) };
            case "echo":
                return new { bytes = await EchoAsync(Peer(message), (int)message["bytes"]!, late.Token) };
            default:
                throw new ArgumentException($"no command {message["command"]}", nameof(message));
        }
    }

    private static PeerId Peer(JsonNode message) => Libp2p.PeerId.Parse((string)message["peer"]!);

    // Every byte comes back as it was.
    private async Task<long> EchoAsync(PeerId peer, int bytes, CancellationToken late)
    {
        await using Libp2pStream stream = await _host.OpenStreamAsync(peer, Echo, late);
        byte[] sent = RandomNumberGenerator.GetBytes(bytes);
        Task<byte[]> receiving = ReceiveAsync(stream, late);
        await stream.Output.WriteAsync(sent, late);
        await stream.CompleteWriteAsync(late);
        byte[] received = await receiving;
        return received.AsSpan().SequenceEqual(sent)
            ? received.Length
            : throw new IOException($"{received.Length} bytes came back, and not those that were sent.");
    }

    private static async Task<byte[]> ReceiveAsync(Libp2pStream stream, CancellationToken late)
    {
        using MemoryStream received = new();
        await stream.Input.CopyToAsync(received, late);
        return received.ToArray();
    }
}
