using System.IO.Pipelines;
using System.Text;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>Agrees on the protocol of a connection or a stream: one side proposes, the other echoes or says <c>na</c>.</summary>
/// <remarks>
/// multiformats/multistream-select 1.0. Messages are length-prefixed lines. What follows the negotiation stays in the pipe
/// for the next layer. Callers bring the deadline.
/// </remarks>
public static class MultistreamSelect
{
    /// <summary>The longest message that is read, in bytes, with its line feed: the bound of js-libp2p and go-libp2p.</summary>
    public const int MaximumMessageLength = 1024;

    /// <summary>The most proposals that a responder answers. More than any peer has protocols to try.</summary>
    public const int MaximumProposals = 64;

    private const string Version = "/multistream/1.0.0";
    private const string NotAvailable = "na";

    /// <summary>Proposes one protocol; header and proposal leave in one flush.</summary>
    /// <exception cref="Libp2pException"><see cref="Libp2pFault.ProtocolNotSupported"/>, or what the remote did wrong.</exception>
    public static async ValueTask ProposeAsync(IDuplexPipe pipe, string protocolId, CancellationToken cancelled) =>
        await ProposeAsync(pipe, [protocolId], cancelled);

    /// <summary>Proposes protocols in turn until the remote takes one; header and first proposal leave in one flush.</summary>
    /// <returns>The protocol that was taken.</returns>
    /// <exception cref="Libp2pException"><see cref="Libp2pFault.ProtocolNotSupported"/> when it takes none, or what the remote did wrong.</exception>
    public static async ValueTask<string> ProposeAsync(IDuplexPipe pipe, IReadOnlyList<string> protocolIds, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(pipe);
        ArgumentNullException.ThrowIfNull(protocolIds);
        WriteLine(pipe.Output, Version);
        for (int index = 0; index < protocolIds.Count; index++)
        {
            WriteLine(pipe.Output, protocolIds[index]);
            await pipe.Output.FlushAsync(cancelled);
            if (index == 0)
            {
                await ReadVersionAsync(pipe.Input, cancelled);
            }

            if (await IsTakenAsync(pipe.Input, protocolIds[index], cancelled))
            {
                return protocolIds[index];
            }
        }

        throw new Libp2pException(Libp2pFault.ProtocolNotSupported, $"The remote does not speak {string.Join(" or ", protocolIds)}.");
    }

    /// <summary>Proposes one protocol; what it says first leaves with header and proposal in one flush.</summary>
    /// <exception cref="Libp2pException">As <see cref="ProposeAsync(IDuplexPipe, string, CancellationToken)"/>.</exception>
    public static async ValueTask ProposeAsync(IDuplexPipe pipe, string protocolId, Action<PipeWriter> writeFirst, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(pipe);
        ArgumentNullException.ThrowIfNull(writeFirst);
        WriteProposal(pipe.Output, protocolId);
        writeFirst(pipe.Output);
        await pipe.Output.FlushAsync(cancelled);
        await ReadAnswerAsync(pipe.Input, protocolId, cancelled);
    }

    /// <summary>Writes header and proposal without flushing.</summary>
    internal static void WriteProposal(PipeWriter output, string protocolId)
    {
        WriteLine(output, Version);
        WriteLine(output, protocolId);
    }

    /// <summary>Reads what the remote answers to <see cref="WriteProposal"/>.</summary>
    /// <exception cref="Libp2pException"><see cref="Libp2pFault.ProtocolNotSupported"/>, or what the remote did wrong.</exception>
    internal static async ValueTask ReadAnswerAsync(PipeReader input, string protocolId, CancellationToken cancelled)
    {
        await ReadVersionAsync(input, cancelled);
        if (!await IsTakenAsync(input, protocolId, cancelled))
        {
            throw new Libp2pException(Libp2pFault.ProtocolNotSupported, $"The remote does not speak {protocolId}.");
        }
    }

    /// <summary>Answers the remote's proposals until one is supported.</summary>
    /// <param name="pipe">A connection or stream that the remote opened.</param>
    /// <param name="supports">Whether we speak a protocol.</param>
    /// <param name="cancelled">Ends the negotiation.</param>
    /// <returns>The protocol; null when the remote ended the stream without choosing one.</returns>
    /// <exception cref="Libp2pException">What the remote did wrong.</exception>
    public static async ValueTask<string?> RespondAsync(IDuplexPipe pipe, Predicate<string> supports, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(pipe);
        ArgumentNullException.ThrowIfNull(supports);
        WriteLine(pipe.Output, Version);
        await pipe.Output.FlushAsync(cancelled);
        await ReadVersionAsync(pipe.Input, cancelled);
        for (int proposals = 0; proposals < MaximumProposals; proposals++)
        {
            string? proposal;
            try
            {
                proposal = await TryReadLineAsync(pipe.Input, cancelled);
            }
            catch (Libp2pException) when (proposals > 0)
            {
                // The remote sent its first message along with a proposal that was refused, and has yet to read the refusal;
                // a reset could overtake it.
                await StreamEnd.WaitAsync(pipe.Input, cancelled);
                return null;
            }

            if (proposal is null)
            {
                return null;
            }

            bool supported = supports(proposal);
            WriteLine(pipe.Output, supported ? proposal : NotAvailable);
            await pipe.Output.FlushAsync(cancelled);
            if (supported)
            {
                return proposal;
            }
        }

        throw new Libp2pException(Libp2pFault.ProtocolNotSupported, $"The remote proposed {MaximumProposals} protocols that we do not speak.");
    }

    private static async ValueTask<bool> IsTakenAsync(PipeReader input, string protocolId, CancellationToken cancelled)
    {
        string answer = await ReadLineAsync(input, cancelled);
        return answer == protocolId || (answer == NotAvailable
            ? false
            : throw new Libp2pException(Libp2pFault.Malformed, $"The remote answered the proposal of {protocolId} with neither it nor '{NotAvailable}'."));
    }

    private static void WriteLine(PipeWriter output, string line)
    {
        byte[] message = [.. Encoding.UTF8.GetBytes(line), (byte)'\n'];
        ArgumentOutOfRangeException.ThrowIfGreaterThan(message.Length, MaximumMessageLength, nameof(line));
        LengthPrefix.Write(output, message);
    }

    private static async ValueTask ReadVersionAsync(PipeReader input, CancellationToken cancelled)
    {
        if (await ReadLineAsync(input, cancelled) != Version)
        {
            throw new Libp2pException(Libp2pFault.Malformed, $"The remote does not begin with {Version}.");
        }
    }

    private static async ValueTask<string> ReadLineAsync(PipeReader input, CancellationToken cancelled) =>
        await TryReadLineAsync(input, cancelled)
        ?? throw new Libp2pException(Libp2pFault.ConnectionLost, "The remote ended the connection while a protocol was negotiated.");

    private static async ValueTask<string?> TryReadLineAsync(PipeReader input, CancellationToken cancelled)
    {
        byte[]? message = await LengthPrefix.ReadAsync(input, MaximumMessageLength, cancelled);
        return message switch
        {
            null => null,
            [.. byte[] line, (byte)'\n'] => Encoding.UTF8.GetString(line),
            _ => throw new Libp2pException(Libp2pFault.Malformed, "A multistream message does not end in a line feed."),
        };
    }
}
