using System.IO.Pipelines;
using Tapestry.Crypto;
using Tapestry.Libp2p.Yamux;

namespace Tapestry.Libp2p.Tests.Scenarios.Yamux;

/// <summary>Two sessions that talk to each other.</summary>
internal sealed class YamuxPair : IAsyncDisposable
{
    private YamuxPair((IDuplexPipe Dialler, IDuplexPipe Listener) link, YamuxLimits limits)
    {
        Dialler = YamuxConnection.Start(link.Dialler, SomePeer, isDialler: true, limits, TimeProvider.System);
        Listener = YamuxConnection.Start(link.Listener, SomePeer, isDialler: false, limits, TimeProvider.System);
    }

    /// <summary>A peer id where it does not matter which.</summary>
    public static PeerId SomePeer { get; } = MakePeer();

    public YamuxConnection Dialler { get; }

    public YamuxConnection Listener { get; }

    public static YamuxPair InMemory(YamuxLimits? limits = null) => new(Links.InMemory(), limits ?? new YamuxLimits());

    public static YamuxPair Choppy(int seed) => new(Links.Choppy(seed), new YamuxLimits());

    public static async Task<YamuxPair> OverSocketsAsync() => new(await Links.SocketsAsync(), new YamuxLimits());

    /// <summary>One stream, both ends; one byte has crossed, so that the listener knows of it.</summary>
    public async Task<(Libp2pStream Dialler, Libp2pStream Listener)> OpenAsync(CancellationToken late)
    {
        Libp2pStream ours = await Dialler.OpenStreamAsync(late);
        await ours.Output.WriteAsync(new byte[1], late);
        Libp2pStream theirs = (await Listener.AcceptStreamAsync(late))!;
        ReadResult read = await theirs.Input.ReadAsync(late);
        theirs.Input.AdvanceTo(read.Buffer.GetPosition(1));
        return (ours, theirs);
    }

    /// <summary>The same, and the dialler has heard of the listener: only from then on it opens many streams.</summary>
    public async Task<(Libp2pStream Dialler, Libp2pStream Listener)> OpenHeardAsync(CancellationToken late)
    {
        (Libp2pStream ours, Libp2pStream theirs) = await OpenAsync(late);
        await theirs.Output.WriteAsync(new byte[1], late);
        ReadResult read = await ours.Input.ReadAsync(late);
        ours.Input.AdvanceTo(read.Buffer.End);
        return (ours, theirs);
    }

    public async ValueTask DisposeAsync()
    {
        await Dialler.CloseAsync();
        await Listener.CloseAsync();
    }

    private static PeerId MakePeer()
    {
        using SigningKey key = SigningKey.FromSeed(new byte[SigningKey.SeedLength]);
        return PeerId.From(key.PublicKey);
    }
}
