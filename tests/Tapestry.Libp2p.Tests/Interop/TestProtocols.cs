using System.Buffers.Binary;
using System.IO.Pipelines;
using Tapestry.Libp2p.Tests.Scenarios.Yamux;

namespace Tapestry.Libp2p.Tests.Interop;

/// <summary>Our side of the protocols that <c>tests/foreign/js/peer.mjs</c> speaks, as a peer that answers and as one that asks.</summary>
internal sealed class TestProtocols
{
    public const string Echo = "/test/echo/1.0.0";
    public const string Sink = "/test/sink/1.0.0";
    public const string Source = "/test/source/1.0.0";
    public const string Reset = "/test/reset/1.0.0";
    public const string Stall = "/test/stall/1.0.0";
    public const string Wait = "/test/wait/1.0.0";

    private readonly TaskCompletionSource _resume = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How the streams of <see cref="Wait"/> ended.</summary>
    public TaskCompletionSource<Libp2pFault> Waited { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets the streams of <see cref="Stall"/> be read.</summary>
    public void Resume() => _resume.TrySetResult();

    /// <summary>Answers all of them.</summary>
    public void AnswerOn(Libp2pHost host)
    {
        host.Handle(Echo, async (stream, _, ended) =>
        {
            await stream.Input.CopyToAsync(stream.Output, ended);
            await stream.CompleteWriteAsync(ended);
        });
        host.Handle(Sink, async (stream, _, ended) => await AnswerCountAsync(stream, await Numbered.ReadAsync(stream.Input, 0, ended), ended));
        host.Handle(Source, async (stream, _, ended) =>
        {
            long bytes = await ReadCountAsync(stream.Input, ended);
            await Numbered.WriteAsync(stream.Output, 0, bytes, 64 * 1024, ended);
            await stream.CompleteWriteAsync(ended);
        });
        host.Handle(Reset, async (stream, _, ended) =>
        {
            await stream.Input.ReadAsync(ended);
            stream.Reset();
        });
        host.Handle(Stall, async (stream, _, ended) =>
        {
            await _resume.Task.WaitAsync(ended);
            await AnswerCountAsync(stream, await Numbered.ReadAsync(stream.Input, 0, ended), ended);
        });
        host.Handle(Wait, async (stream, _, ended) =>
        {
            try
            {
                await stream.Input.CopyToAsync(Stream.Null, ended);
                Waited.TrySetResult(Libp2pFault.None);
            }
            catch (Libp2pException end)
            {
                Waited.TrySetResult(end.Fault);
            }
        });
    }

    /// <summary>Uploads a numbered sequence and returns how much of it the remote counted.</summary>
    public static async Task<long> UploadAsync(PeerConnection connection, long bytes, CancellationToken late)
    {
        await using Libp2pStream stream = await connection.OpenStreamAsync(Sink, late);
        await Numbered.WriteAsync(stream.Output, 0, bytes, 64 * 1024, late);
        await stream.CompleteWriteAsync(late);
        return await ReadCountAsync(stream.Input, late);
    }

    /// <summary>Downloads a numbered sequence, checked byte by byte.</summary>
    public static async Task<long> DownloadAsync(PeerConnection connection, long bytes, CancellationToken late)
    {
        await using Libp2pStream stream = await connection.OpenStreamAsync(Source, late);
        byte[] count = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(count, bytes);
        await stream.Output.WriteAsync(count, late);
        await stream.CompleteWriteAsync(late);
        return await Numbered.ReadAsync(stream.Input, 0, late);
    }

    private static async Task AnswerCountAsync(Libp2pStream stream, long bytes, CancellationToken ended)
    {
        byte[] count = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(count, bytes);
        await stream.Output.WriteAsync(count, ended);
        await stream.CompleteWriteAsync(ended);
    }

    private static async Task<long> ReadCountAsync(PipeReader input, CancellationToken late)
    {
        ReadResult read = await input.ReadAtLeastAsync(sizeof(long), late);
        byte[] count = new byte[sizeof(long)];
        System.Buffers.BuffersExtensions.CopyTo(read.Buffer.Slice(0, sizeof(long)), count);
        input.AdvanceTo(read.Buffer.GetPosition(sizeof(long)));
        return BinaryPrimitives.ReadInt64BigEndian(count);
    }
}
