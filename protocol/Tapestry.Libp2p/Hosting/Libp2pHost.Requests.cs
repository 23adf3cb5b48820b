using System.Buffers;
using System.Runtime.CompilerServices;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>Requests and responses: one stream each, every message preceded by its length.</summary>
/// <remarks>specs/50-network.md, section 5.1. The request leaves together with the proposal of its protocol, which saves a round trip.</remarks>
public sealed partial class Libp2pHost
{
    /// <summary>Answers requests of a protocol.</summary>
    /// <param name="protocolId">The protocol; each carries one kind of request.</param>
    /// <param name="maximumRequestBytes">Longer requests are refused before anything is allocated for them.</param>
    /// <param name="handler">Called once a request, at the same time for several.</param>
    public void HandleRequests(string protocolId, int maximumRequestBytes, RequestHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        HandleFrames(protocolId, maximumRequestBytes, async (from, request, response, ended) =>
        {
            ReadOnlyMemory<byte>? answer = await handler(from, request, ended);
            if (answer is not null)
            {
                await response.WriteAsync(answer.Value, ended);
            }

            return answer is not null;
        });
    }

    /// <summary>Answers requests of a protocol with a sequence of frames.</summary>
    /// <inheritdoc cref="HandleRequests"/>
    public void HandleFrames(string protocolId, int maximumRequestBytes, FramesHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Handle(protocolId, async (stream, connection, ended) =>
        {
            byte[]? request = await ReadRequestAsync(stream, connection, maximumRequestBytes, ended);
            ResponseFrames response = new(stream, Options);
            bool complete = request is not null && await handler(stream.Remote, request, response, ended);
            if (!complete)
            {
                stream.Reset();
                return;
            }

            await response.EndAsync(ended);
        });
    }

    /// <summary>Sends a request to a connected peer and waits for the response.</summary>
    /// <param name="peer">Whom to ask; a connection must be open.</param>
    /// <param name="protocolId">The kind of request.</param>
    /// <param name="request">The request; not kept.</param>
    /// <param name="limits">How large the response may be, and how long it may take.</param>
    /// <param name="cancelled">Ends the wait; the peer sees a reset.</param>
    /// <exception cref="Libp2pException">No connection, a reset (which is how a peer refuses), too large, too late, or not spoken.</exception>
    public async Task<ReadOnlyMemory<byte>> RequestAsync(
        PeerId peer, string protocolId, ReadOnlyMemory<byte> request, RequestLimits limits, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(limits);
        PeerConnection connection = RequireConnection(peer);
        using Deadline deadline = new(limits.Deadline, Options.Time, cancelled);
        try
        {
            await using Libp2pStream stream = await AskAsync(connection, protocolId, request, deadline.Token);
            byte[]? response = await LengthPrefix.ReadAsync(stream.Input, limits.MaximumResponseBytes, deadline.Token);
            if (response is null || await StreamEnd.WaitAsync(stream.Input, deadline.Token) > 0)
            {
                throw new Libp2pException(Libp2pFault.Malformed, $"{peer} answered {protocolId} with other than one message.");
            }

            return response;
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            throw deadline.Error($"The answer of {peer} to {protocolId}");
        }
    }

    /// <summary>Sends a request and yields the frames of its response as they come.</summary>
    /// <returns>The frames; each is valid until the next is asked for. Leaving the loop early resets the stream.</returns>
    /// <inheritdoc cref="RequestAsync"/>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> RequestFramesAsync(
        PeerId peer, string protocolId, ReadOnlyMemory<byte> request, RequestLimits limits, [EnumeratorCancellation] CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(limits);
        PeerConnection connection = RequireConnection(peer);
        Libp2pStream? stream = null;
        byte[] buffer = [];
        try
        {
            while (true)
            {
                int? length;
                using (Deadline deadline = new(limits.Deadline, Options.Time, cancelled))
                {
                    try
                    {
                        stream ??= await AskAsync(connection, protocolId, request, deadline.Token);
                        length = await LengthPrefix.ReadLengthAsync(stream.Input, limits.MaximumResponseBytes, deadline.Token);
                        buffer = Grown(buffer, length ?? 0);
                        await LengthPrefix.ReadExactlyAsync(stream.Input, buffer.AsMemory(0, length ?? 0), deadline.Token);
                    }
                    catch (OperationCanceledException) when (deadline.Passed)
                    {
                        throw deadline.Error($"A frame of {peer} for {protocolId}");
                    }
                }

                if (length is null)
                {
                    yield break;
                }

                yield return buffer.AsMemory(0, length.Value);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            if (stream is not null)
            {
                await stream.DisposeAsync();
            }
        }
    }

    private async Task<byte[]?> ReadRequestAsync(Libp2pStream stream, PeerConnection connection, int maximumBytes, CancellationToken ended)
    {
        using Deadline deadline = new(Options.Limits.RequestDeadline, Options.Time, ended);
        try
        {
            return await LengthPrefix.ReadAsync(stream.Input, maximumBytes, deadline.Token);
        }
        catch (OperationCanceledException) when (deadline.Passed)
        {
            Refuse(stream, connection, deadline.Error($"A request for {stream.Protocol}"));
            return null;
        }
    }

    private static async Task<Libp2pStream> AskAsync(PeerConnection connection, string protocolId, ReadOnlyMemory<byte> request, CancellationToken cancelled)
    {
        // What of the request does not leave with the proposal.
        ReadOnlyMemory<byte> rest = default;
        Libp2pStream stream = await connection.OpenStreamUntilAsync(protocolId, output => rest = LengthPrefix.WriteStart(output, request), cancelled);
        try
        {
            await LengthPrefix.WriteRestAsync(stream.Output, rest, cancelled);
            await stream.CompleteWriteAsync(cancelled);
            return stream;
        }
        catch
        {
            stream.Reset();
            throw;
        }
    }

    private static byte[] Grown(byte[] buffer, int length)
    {
        if (buffer.Length >= length)
        {
            return buffer;
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return ArrayPool<byte>.Shared.Rent(length);
    }
}
