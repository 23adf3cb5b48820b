using System.Buffers.Binary;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>What a perf run measured.</summary>
/// <param name="Connected">Time to agree on the stream's protocol.</param>
/// <param name="Uploaded">Time until every byte and the half-close were handed to the connection and the remote began to answer.</param>
/// <param name="Downloaded">Time from there to the last byte.</param>
public sealed record PerfMeasurement(TimeSpan Connected, TimeSpan Uploaded, TimeSpan Downloaded);

/// <summary>Moves given numbers of bytes up and down one stream.</summary>
/// <remarks>libp2p/specs, perf/perf.md: eight bytes, big-endian, say how many to send back; then the upload; then, after its end, the download.</remarks>
internal static class PerfProtocol
{
    internal const string Id = "/perf/1.0.0";

    private const int ChunkLength = 64 * 1024;

    internal static async Task AnswerAsync(Libp2pStream stream, CancellationToken cancelled)
    {
        byte[] header = new byte[sizeof(ulong)];
        await LengthPrefix.ReadExactlyAsync(stream.Input, header, cancelled);
        await StreamEnd.WaitAsync(stream.Input, cancelled);
        await SendAsync(stream, BinaryPrimitives.ReadUInt64BigEndian(header), cancelled);
        await stream.CompleteWriteAsync(cancelled);
    }

    internal static async Task<PerfMeasurement> AskAsync(
        Libp2pStream stream, TimeSpan connected, ulong uploadBytes, ulong downloadBytes, TimeProvider time, CancellationToken cancelled)
    {
        byte[] header = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(header, downloadBytes);
        long start = time.GetTimestamp();
        await stream.Output.WriteAsync(header, cancelled);
        await SendAsync(stream, uploadBytes, cancelled);
        await stream.CompleteWriteAsync(cancelled);
        System.IO.Pipelines.ReadResult first = await stream.Input.ReadAsync(cancelled);
        stream.Input.AdvanceTo(first.Buffer.Start);
        TimeSpan uploaded = time.GetElapsedTime(start);
        long received = await StreamEnd.WaitAsync(stream.Input, cancelled);
        return (ulong)received == downloadBytes
            ? new PerfMeasurement(connected, uploaded, time.GetElapsedTime(start) - uploaded)
            : throw new Libp2pException(Libp2pFault.Malformed, $"{stream.Remote} sent {received} bytes where {downloadBytes} were asked for.");
    }

    private static async Task SendAsync(Libp2pStream stream, ulong bytes, CancellationToken cancelled)
    {
        while (bytes > 0)
        {
            int chunk = (int)Math.Min(bytes, ChunkLength);
            stream.Output.GetSpan(chunk)[..chunk].Clear();
            stream.Output.Advance(chunk);
            await stream.Output.FlushAsync(cancelled);
            bytes -= (ulong)chunk;
        }
    }
}
