using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>Tells a peer about us, and asks it about itself.</summary>
/// <remarks>
/// libp2p/specs, identify/README.md. Length-prefixed messages, then the end of the stream. One message is the rule; go-libp2p
/// and js-libp2p read up to ten as one, so that a long list of protocols or a long record has room.
/// </remarks>
internal static class IdentifyProtocol
{
    internal const string Id = "/ipfs/id/1.0.0";
    internal const string PushId = "/ipfs/id/push/1.0.0";

    internal static async Task AnswerAsync(Libp2pStream stream, PeerConnection connection, Libp2pHost host, CancellationToken ended)
    {
        using Deadline deadline = new(host.Options.NegotiationDeadline, host.Options.Time, ended);
        try
        {
            await WriteAsync(stream, host.Describe(connection), deadline.Token);
            await StreamEnd.WaitAsync(stream.Input, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw deadline.Error("Telling about us");
        }
    }

    /// <summary>Asks; null when the peer does not answer in time or not by the rules.</summary>
    internal static async Task<IdentifyMessage?> AskAsync(PeerConnection connection, Libp2pHost host)
    {
        try
        {
            using Deadline deadline = new(host.Options.NegotiationDeadline, host.Options.Time, connection.Ended);
            await using Libp2pStream stream = await connection.OpenStreamAsync(Id, deadline.Token);
            await stream.CompleteWriteAsync(deadline.Token);
            if (await ReadAsync(stream, deadline.Token) is not IdentifyMessage told)
            {
                return null;
            }

            host.Learn(connection, told);
            return told;
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Takes a push: fields that it has replace what the peer told before.</summary>
    internal static async Task ReceivePushAsync(Libp2pStream stream, PeerConnection connection, Libp2pHost host, CancellationToken ended)
    {
        if (!host.Pushes.TryTake(connection.Remote))
        {
            throw new Libp2pException(Libp2pFault.RateLimit, $"{connection.Remote} pushes what it tells of itself more often than {host.Options.Limits.PushesPerMinute} times a minute.");
        }

        using Deadline deadline = new(host.Options.NegotiationDeadline, host.Options.Time, ended);
        try
        {
            IdentifyMessage? pushed = await ReadAsync(stream, deadline.Token);
            await connection.Identified.WaitAsync(deadline.Token);
            if (pushed is not null)
            {
                connection.Update(pushed);
            }

            await stream.CompleteWriteAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw deadline.Error("A push");
        }
    }

    /// <summary>Tells a connected peer what has changed, if it wants to know; whether it took it shows in nothing that we do.</summary>
    internal static async Task PushAsync(PeerConnection connection, Libp2pHost host)
    {
        try
        {
            using Deadline deadline = new(host.Options.NegotiationDeadline, host.Options.Time, connection.Ended);
            IdentifyMessage? known = await connection.Identified.WaitAsync(deadline.Token);
            if (known is null || !known.Protocols.Contains(PushId, StringComparer.Ordinal))
            {
                return;
            }

            await using Libp2pStream stream = await connection.OpenStreamAsync(PushId, deadline.Token);
            await WriteAsync(stream, host.Describe(connection), deadline.Token);
            await StreamEnd.WaitAsync(stream.Input, deadline.Token);
        }
        catch (Exception end) when (end is IOException or OperationCanceledException)
        {
            // The peer is gone or behind; it asks us anew when it connects again.
        }
    }

    private static async Task WriteAsync(Libp2pStream stream, IdentifyMessage message, CancellationToken cancelled)
    {
        foreach (byte[] part in message.ToParts())
        {
            LengthPrefix.Write(stream.Output, part);
        }

        await stream.CompleteWriteAsync(cancelled);
    }

    private static async Task<IdentifyMessage?> ReadAsync(Libp2pStream stream, CancellationToken cancelled)
    {
        List<byte[]> parts = [];
        while (parts.Count < IdentifyMessage.MaximumParts
            && await LengthPrefix.ReadAsync(stream.Input, IdentifyMessage.MaximumLength, cancelled) is byte[] part)
        {
            parts.Add(part);
        }

        return IdentifyMessage.TryRead(parts, out IdentifyMessage? message) ? message : null;
    }
}
