using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>Tells a peer about us, and asks it about itself.</summary>
/// <remarks>libp2p/specs, identify/README.md. One length-prefixed message, then the end of the stream. We receive pushes and send none.</remarks>
internal static class IdentifyProtocol
{
    internal const string Id = "/ipfs/id/1.0.0";
    internal const string PushId = "/ipfs/id/push/1.0.0";

    internal static async Task AnswerAsync(Libp2pStream stream, IdentifyMessage message, CancellationToken cancelled)
    {
        await LengthPrefix.WriteAsync(stream.Output, message.ToArray(), cancelled);
        await stream.CompleteWriteAsync(cancelled);
        await StreamEnd.WaitAsync(stream.Input, cancelled);
    }

    /// <summary>Asks; null when the peer does not answer in time or not by the rules.</summary>
    internal static async Task<IdentifyMessage?> AskAsync(PeerConnection connection, Libp2pHostOptions options)
    {
        try
        {
            using Deadline deadline = new(options.NegotiationDeadline, options.Time, connection.Ended);
            await using Libp2pStream stream = await connection.OpenStreamAsync(Id, deadline.Token);
            await stream.CompleteWriteAsync(deadline.Token);
            return await ReadAsync(stream, deadline.Token);
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Takes a push: fields that it has replace what the peer told before.</summary>
    internal static async Task ReceivePushAsync(Libp2pStream stream, PeerConnection connection, CancellationToken ended)
    {
        IdentifyMessage? pushed = await ReadAsync(stream, ended);
        IdentifyMessage? known = await connection.Identified.WaitAsync(ended);
        if (pushed is not null)
        {
            connection.Identified = Task.FromResult<IdentifyMessage?>(known is null ? pushed : known.Updated(pushed));
        }

        await stream.CompleteWriteAsync(ended);
    }

    private static async Task<IdentifyMessage?> ReadAsync(Libp2pStream stream, CancellationToken cancelled)
    {
        byte[]? bytes = await LengthPrefix.ReadAsync(stream.Input, IdentifyMessage.MaximumLength, cancelled);
        return bytes is not null && IdentifyMessage.TryRead(bytes, out IdentifyMessage? message) ? message : null;
    }
}
