using System.Security.Cryptography;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>Echoes 32 bytes as often as the caller sends them.</summary>
/// <remarks>libp2p/specs, ping/ping.md.</remarks>
internal static class PingProtocol
{
    internal const string Id = "/ipfs/ping/1.0.0";

    private const int PayloadLength = 32;

    internal static async Task AnswerAsync(Libp2pStream stream, CancellationToken cancelled)
    {
        byte[] payload = new byte[PayloadLength];
        while (!await IsAtEndAsync(stream, cancelled))
        {
            await LengthPrefix.ReadExactlyAsync(stream.Input, payload, cancelled);
            await stream.Output.WriteAsync(payload, cancelled);
        }

        await stream.CompleteWriteAsync(cancelled);
    }

    /// <summary>Measures one round trip.</summary>
    internal static async Task<TimeSpan> AskAsync(Libp2pStream stream, TimeProvider time, CancellationToken cancelled)
    {
        byte[] sent = RandomNumberGenerator.GetBytes(PayloadLength);
        byte[] echoed = new byte[PayloadLength];
        long start = time.GetTimestamp();
        await stream.Output.WriteAsync(sent, cancelled);
        await LengthPrefix.ReadExactlyAsync(stream.Input, echoed, cancelled);
        TimeSpan roundTrip = time.GetElapsedTime(start);
        await stream.CompleteWriteAsync(cancelled);
        return echoed.AsSpan().SequenceEqual(sent)
            ? roundTrip
            : throw new Libp2pException(Libp2pFault.Malformed, $"{stream.Remote} answered a ping with other bytes.");
    }

    private static async Task<bool> IsAtEndAsync(Libp2pStream stream, CancellationToken cancelled)
    {
        System.IO.Pipelines.ReadResult result = await stream.Input.ReadAsync(cancelled);
        stream.Input.AdvanceTo(result.Buffer.Start);
        return result.Buffer.IsEmpty && result.IsCompleted;
    }
}
