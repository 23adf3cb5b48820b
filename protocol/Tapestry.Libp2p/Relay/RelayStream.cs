using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>One message each way on a stream of the relay protocols.</summary>
internal static class RelayStream
{
    internal static async Task<HopMessage?> ReadHopAsync(Libp2pStream stream, CancellationToken cancelled) =>
        await ReadAsync(stream, cancelled) is byte[] bytes && HopMessage.TryRead(bytes, out HopMessage? message) ? message : null;

    internal static async Task<StopMessage?> ReadStopAsync(Libp2pStream stream, CancellationToken cancelled) =>
        await ReadAsync(stream, cancelled) is byte[] bytes && StopMessage.TryRead(bytes, out StopMessage? message) ? message : null;

    internal static ValueTask WriteAsync(Libp2pStream stream, byte[] message, CancellationToken cancelled) =>
        LengthPrefix.WriteAsync(stream.Output, message, cancelled);

    /// <summary>Says the last message of a stream, and lets the remote read it: a reset could overtake it.</summary>
    internal static async Task EndWithAsync(Libp2pStream stream, byte[] answer, CancellationToken cancelled)
    {
        await WriteAsync(stream, answer, cancelled);
        await stream.CompleteWriteAsync(cancelled);
        await StreamEnd.WaitAsync(stream.Input, cancelled);
    }

    /// <summary>Asks a relay, and returns its answer if that is yes.</summary>
    /// <exception cref="Libp2pException">The relay refuses, or its answer is none.</exception>
    internal static async Task<HopMessage> AskAsync(Libp2pStream stream, HopMessage request, CancellationToken cancelled)
    {
        await WriteAsync(stream, request.ToArray(), cancelled);
        HopMessage? answer = await ReadHopAsync(stream, cancelled);
        return answer switch
        {
            { Type: HopMessageType.Status, Status: RelayStatus.Ok } => answer,
            { Type: HopMessageType.Status } => throw Refused(stream.Remote, answer.Status),
            _ => throw new Libp2pException(Libp2pFault.Malformed, $"The relay {stream.Remote} answered with other than a status."),
        };
    }

    private static Libp2pException Refused(PeerId relay, RelayStatus status) => status switch
    {
        RelayStatus.ReservationRefused => new(
            Libp2pFault.RelayReservationRefused, $"The relay {relay} takes no more reservations; use another one, or ask later."),
        RelayStatus.ResourceLimitExceeded => new(
            Libp2pFault.RelayLimitExceeded, $"The relay {relay} carries as many connections as it may; ask later."),
        RelayStatus.PermissionDenied => new(
            Libp2pFault.RelayPermissionDenied, $"The relay {relay} does not serve us: only whom its settings name."),
        RelayStatus.NoReservation => new(
            Libp2pFault.RelayNoReservation, $"The peer has no reservation at the relay {relay}, or is not connected to it any more."),
        RelayStatus.ConnectionFailed => new(
            Libp2pFault.RelayConnectionFailed, $"The relay {relay} could not reach the peer, or the peer did not want the connection."),
        _ => new(Libp2pFault.RelayRejectedMessage, $"The relay {relay} did not understand us, status {(ushort)status}."),
    };

    // Null when the bytes are no message: that is answered with a status.
    private static async Task<byte[]?> ReadAsync(Libp2pStream stream, CancellationToken cancelled)
    {
        try
        {
            return await LengthPrefix.ReadAsync(stream.Input, HopMessage.MaximumLength, cancelled);
        }
        catch (Libp2pException malformed) when (malformed.Fault is Libp2pFault.TooLarge or Libp2pFault.Malformed)
        {
            return null;
        }
    }
}
