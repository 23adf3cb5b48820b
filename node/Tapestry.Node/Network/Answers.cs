using System.Buffers.Binary;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Node.Daemon;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Network;

/// <summary>Serves what other members ask for by name: bodies by digest and rounds by number. An empty answer means that we lack it.</summary>
/// <param name="records">Where they are.</param>
/// <param name="traffic">Where bytes are counted.</param>
internal sealed class Answers(IRecordReader records, Traffic traffic)
{
    private const int RoundQuestionBytes = sizeof(long);

    /// <summary>Starts to answer on a host.</summary>
    public void Register(Libp2pHost host)
    {
        host.HandleRequests(TapestryProtocols.Body, Digest.Length, (_, question, _) => Answer(Table.Bodies, question, Digest.Length));
        host.HandleRequests(TapestryProtocols.Round, RoundQuestionBytes, (_, question, _) => Answer(Table.Rounds, question, RoundQuestionBytes));
    }

    /// <summary>The question for a round: its number, big-endian, which is its key in the table.</summary>
    public static byte[] RoundQuestion(long round)
    {
        byte[] question = new byte[RoundQuestionBytes];
        BinaryPrimitives.WriteInt64BigEndian(question, round);
        return question;
    }

    private ValueTask<ReadOnlyMemory<byte>?> Answer(Table table, ReadOnlyMemory<byte> question, int questionBytes)
    {
        if (question.Length != questionBytes)
        {
            return ValueTask.FromResult<ReadOnlyMemory<byte>?>(null);
        }

        ReadOnlyMemory<byte> answer = (records.Read(table, question.Span) ?? ByteString.Empty).Memory;
        traffic.Sent(answer.Length);
        return ValueTask.FromResult<ReadOnlyMemory<byte>?>(answer);
    }
}
