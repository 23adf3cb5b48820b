using System.Collections.Concurrent;
using Tapestry.Libp2p.Gossip;

namespace Tapestry.Libp2p.Tests.Scenarios.Gossip;

/// <summary>A host that gossips in one topic and keeps what it hears.</summary>
internal sealed class GossipMember : IAsyncDisposable
{
    internal const string Topic = "/test/topic";

    internal GossipMember(byte number, GossipOptions? options = null, GossipLimits? limits = null, GossipValidator? validate = null, TimeProvider? time = null)
    {
        Host = Hosts.Start(number, host => host with
        {
            Limits = host.Limits with { Gossip = limits ?? new GossipLimits() },
            Time = time ?? TimeProvider.System,
        });
        Gossip = new Gossipsub(Host, options ?? new GossipOptions());
        Gossip.Blamed += (peer, fault) => Blamed.Enqueue((peer, fault));
        Gossip.Subscribe(Topic, validate ?? Hear);
    }

    internal Libp2pHost Host { get; }

    internal Gossipsub Gossip { get; }

    internal ConcurrentQueue<GossipMessage> Heard { get; } = new();

    internal ConcurrentQueue<(PeerId Peer, GossipFault Fault)> Blamed { get; } = new();

    internal static async Task Until(Func<bool> holds)
    {
        CancellationToken patience = Hosts.Patience;
        while (!holds())
        {
            await Task.Delay(5, patience);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Gossip.DisposeAsync();
        await Host.DisposeAsync();
    }

    private ValueTask<GossipVerdict> Hear(GossipMessage message, CancellationToken cancelled)
    {
        Heard.Enqueue(message);
        return ValueTask.FromResult(GossipVerdict.Accept);
    }
}

/// <summary>A host that speaks gossipsub's bytes as the test says.</summary>
internal sealed class RawGossiper : IAsyncDisposable
{
    internal RawGossiper(byte number, string protocolId = "/meshsub/1.2.0")
    {
        Host = Hosts.Start(number);
        Host.Handle(protocolId, async (stream, _, ended) =>
        {
            Streams.Enqueue(stream);
            await Task.Delay(Timeout.Infinite, ended);
        });
    }

    internal Libp2pHost Host { get; }

    /// <summary>Streams that the member opened to us; nobody reads them.</summary>
    internal ConcurrentQueue<Libp2pStream> Streams { get; } = new();

    internal async Task<Libp2pStream> OpenAsync(GossipMember member)
    {
        PeerConnection connection = await Host.ConnectAsync(member.Host);
        return await connection.OpenStreamAsync("/meshsub/1.2.0", Hosts.Patience);
    }

    internal static async Task SayAsync(Libp2pStream stream, GossipRpc rpc)
    {
        GossipRpcWriter.Write(stream.Output, rpc);
        await stream.Output.FlushAsync(Hosts.Patience);
    }

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();
}
