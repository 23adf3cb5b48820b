using Microsoft.Extensions.Logging;
using Tapestry.Libp2p;
using Tapestry.Node.Daemon;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Network;

/// <summary>Asks other members for bodies and rounds: one after the other, until one gives it.</summary>
/// <param name="host">The libp2p host.</param>
/// <param name="neighbours">Who is who.</param>
/// <param name="board">Members' names.</param>
/// <param name="traffic">Where bytes are counted.</param>
/// <param name="timeout">How long one member may take.</param>
/// <param name="logger">Where failures are logged.</param>
internal sealed class Questions(
    Libp2pHost host, Neighbours neighbours, StatusBoard board, Traffic traffic, TimeSpan timeout, ILogger<Questions> logger)
{
    /// <summary>Asks each provider in turn.</summary>
    /// <param name="providers">Who may have it, in the order to ask.</param>
    /// <param name="protocol">The protocol of the question.</param>
    /// <param name="question">The question.</param>
    /// <param name="bytesMax">The longest answer accepted.</param>
    /// <param name="isAnswer">Whether bytes are what was asked for; whoever sent others is counted, and the next one is asked.</param>
    /// <param name="cancelled">Ends the search.</param>
    /// <returns>The first answer that is one, or null.</returns>
    public async Task<ByteString?> AskAsync(
        IEnumerable<MemberId> providers, string protocol, byte[] question, int bytesMax, Predicate<ByteString> isAnswer,
        CancellationToken cancelled)
    {
        RequestLimits limits = new(bytesMax, timeout);
        foreach (MemberId provider in providers)
        {
            if (!neighbours.TryGetPeer(provider, out PeerId? peer))
            {
                continue;
            }

            try
            {
                ReadOnlyMemory<byte> answer = await host.RequestAsync(peer, protocol, question, limits, cancelled);
                traffic.Received(answer.Length);
                if (answer.IsEmpty)
                {
                    continue;
                }

                ByteString bytes = ByteString.CopyFrom(answer.Span);
                if (isAnswer(bytes))
                {
                    return bytes;
                }

                board.Count(provider, MemberFault.BadBody);
                NetworkLog.WrongAnswer(logger, board.NameOf(provider), protocol);
            }
            catch (Libp2pException error)
            {
                NetworkLog.StreamFailed(logger, board.NameOf(provider), protocol, error.Fault.ToString());
            }
        }

        return null;
    }
}
