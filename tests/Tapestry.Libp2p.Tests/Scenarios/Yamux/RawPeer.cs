using System.Buffers;
using System.IO.Pipelines;
using Tapestry.Libp2p.Yamux;

namespace Tapestry.Libp2p.Tests.Scenarios.Yamux;

/// <summary>A peer that sends whatever frames a test likes to one session of ours.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private readonly IDuplexPipe _channel;

    /// <summary>A dialler (odd streams) against a listening session.</summary>
    public RawPeer(YamuxLimits? limits = null, TimeProvider? time = null)
    {
        (_channel, IDuplexPipe ours) = Links.InMemory();
        Session = YamuxConnection.Start(
            ours, YamuxPair.SomePeer, isDialler: false, limits ?? new YamuxLimits(), time ?? TimeProvider.System);
    }

    /// <summary>Our session.</summary>
    public YamuxConnection Session { get; }

    public ValueTask<FlushResult> SendAsync(YamuxFrameType type, YamuxFlags flags, uint streamId, uint length, int payload = 0)
    {
        byte[] frame = new byte[YamuxHeader.Bytes + payload];
        new YamuxHeader(type, flags, streamId, length).Write(frame);
        return SendAsync(frame);
    }

    public ValueTask<FlushResult> SendAsync(byte[] bytes) => _channel.Output.WriteAsync(bytes);

    public ValueTask EndAsync(Exception? broken = null) => _channel.Output.CompleteAsync(broken);

    /// <summary>The next header; payload is skipped.</summary>
    public async Task<YamuxHeader> ReceiveAsync(CancellationToken late)
    {
        ReadResult read = await _channel.Input.ReadAtLeastAsync(YamuxHeader.Bytes, late);
        if (read.Buffer.Length < YamuxHeader.Bytes)
        {
            throw new EndOfStreamException("our session has ended its channel");
        }

        YamuxHeader.Read(read.Buffer.Slice(0, YamuxHeader.Bytes).ToArray(), out YamuxHeader header).Should(YamuxFault.None);
        _channel.Input.AdvanceTo(read.Buffer.GetPosition(YamuxHeader.Bytes));
        if (header.Type == YamuxFrameType.Data && header.Length > 0)
        {
            read = await _channel.Input.ReadAtLeastAsync((int)header.Length, late);
            _channel.Input.AdvanceTo(read.Buffer.GetPosition(header.Length));
        }

        return header;
    }

    /// <summary>Reads on until the session says goodbye.</summary>
    public async Task<YamuxGoAway> ReceiveGoodbyeAsync(CancellationToken late)
    {
        YamuxHeader header;
        do
        {
            header = await ReceiveAsync(late);
        }
        while (header.Type != YamuxFrameType.GoAway);
        return (YamuxGoAway)header.Length;
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.Output.CompleteAsync();
        await _channel.Input.CompleteAsync();
        await Session.CloseAsync();
    }
}

internal static class RawPeerFaults
{
    public static void Should(this YamuxFault fault, YamuxFault expected)
    {
        if (fault != expected)
        {
            throw new InvalidDataException($"our session sent a header with the fault {fault}");
        }
    }
}
