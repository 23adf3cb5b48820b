using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

/// <summary>Keeps what faster members already say about the next round: a bounded number of messages a sender, the oldest first.</summary>
internal sealed class NextRound
{
    /// <summary>Messages of one sender: a manifest, its early receipts and votes. What is dropped is asked for again.</summary>
    internal const int MessagesPerSender = 16;

    private readonly List<EarlyMessage> _messages = [];
    private readonly SortedDictionary<MemberId, int> _counts = [];

    internal void Keep(MemberId from, PeerMessage message, Instant arrived)
    {
        int count = _counts.GetValueOrDefault(from);
        if (count < MessagesPerSender)
        {
            _counts[from] = count + 1;
            _messages.Add(new EarlyMessage(from, message, arrived));
        }
    }

    internal IReadOnlyList<EarlyMessage> TakeAll()
    {
        EarlyMessage[] all = [.. _messages];
        _messages.Clear();
        _counts.Clear();
        return all;
    }
}

/// <summary>A message that came before its round, and when: a proposal's time is held against its arrival.</summary>
internal sealed record EarlyMessage(MemberId From, PeerMessage Message, Instant Arrived);
