using System.Collections;
using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>What a <see cref="BlobSchedule"/> knows of one provider: what it offers, what it owes, how fast it is.</summary>
/// <param name="id">Its number in the schedule.</param>
/// <param name="shape">How the blob is cut.</param>
/// <param name="limits">Bounds and paces.</param>
internal sealed class BlobProvider(int id, BlobShape shape, SwarmLimits limits)
{
    private static readonly TimeSpan RateInterval = TimeSpan.FromSeconds(0.2);

    private readonly BitArray _offered = new(shape.ChunkCount);
    private TimeSpan _rateSince;
    private TimeSpan _heardAt;
    private TimeSpan _partAt;
    private long _rateBytes;
    private double _bytesPerSecond;
    private TimeSpan _shortestAnswer = TimeSpan.MaxValue;

    public int Id { get; } = id;

    /// <summary>It has said that it holds every chunk.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>Chunks that it offers and that may be free to ask for; what is not free any more is dropped on reading.</summary>
    public List<int> Candidates { get; } = [];

    /// <summary>Chunks that it owes, with the time of asking.</summary>
    public Dictionary<int, TimeSpan> Owed { get; } = [];

    /// <summary>Of these, what it has not been told yet.</summary>
    public List<int> Asking { get; } = [];

    /// <summary>Chunks that it owes, but so late that others may be asked for them.</summary>
    public HashSet<int> Overdue { get; } = [];

    /// <summary>Chunks that were cancelled and may come all the same.</summary>
    public HashSet<int> Forgiven { get; } = [];

    /// <summary>Pages of hashes that it was asked for and has not sent.</summary>
    public HashSet<int> OwedPages { get; } = [];

    /// <summary>Pages that it was ever asked for.</summary>
    public HashSet<int> AskedPages { get; } = [];

    /// <summary>It has been silent for so long that it is asked for nothing more until it is heard.</summary>
    public bool IsLate { get; set; }

    /// <summary>Whether it owes anything.</summary>
    public bool Owes => Owed.Count + Overdue.Count + OwedPages.Count > 0;

    /// <summary>How many more chunks it can be asked for now.</summary>
    public int Room => IsLate ? 0 : Math.Max(0, ChunksAhead - Owed.Count);

    /// <summary>Whether it could be asked for a quarter of what it is asked for ahead: less is not worth a message.</summary>
    public bool IsRoomWorthAsking => !IsLate && 4 * (ChunksAhead - Owed.Count) >= ChunksAhead;

    public bool Offers(int chunk) => IsWhole || _offered[chunk];

    public void OfferAll()
    {
        IsWhole = true;
        Candidates.Clear();
    }

    /// <returns>False when it had offered the chunk before.</returns>
    public bool Offer(int chunk)
    {
        bool isNew = !Offers(chunk);
        _offered[chunk] = true;
        return isNew;
    }

    public void Ask(TimeSpan now)
    {
        if (!Owes)
        {
            // Idle time says nothing about its rate, and silence counts from here.
            _heardAt = now;
            _partAt = now;
            _rateSince = now;
            _rateBytes = 0;
        }
    }

    /// <param name="bytes">What came.</param>
    /// <param name="answeredIn">How long after the request; null when that says nothing.</param>
    /// <param name="now">The time.</param>
    public void Heard(long bytes, TimeSpan? answeredIn, TimeSpan now)
    {
        _shortestAnswer = answeredIn < _shortestAnswer ? answeredIn.Value : _shortestAnswer;
        IsLate = false;
        _heardAt = now;
        _partAt = now;
        _rateBytes += bytes;
        TimeSpan elapsed = now - _rateSince;
        if (elapsed >= RateInterval)
        {
            double rate = _rateBytes / elapsed.TotalSeconds;
            _bytesPerSecond = _bytesPerSecond == 0 ? rate : (_bytesPerSecond + rate) / 2;
            _rateSince = now;
            _rateBytes = 0;
        }
    }

    /// <summary>A part of a chunk has come: it is slow, not gone.</summary>
    public void HeardPart(TimeSpan now) => _partAt = now;

    /// <summary>Whether it owes something and has sent nothing whole for so long that others are asked for it.</summary>
    public bool IsOverdue(TimeSpan now) => Owes && now - _heardAt > limits.LateAfter + TwoChunks;

    /// <summary>Whether it owes something and has sent so little for so long, not even a part of a chunk, that it is given up.</summary>
    public bool IsStalled(TimeSpan now) => Owes && now - _partAt > limits.Patience + TwoChunks;

    /// <summary>A slow provider, or one with many askers, is silent for long between two chunks.</summary>
    private TimeSpan TwoChunks => TimeSpan.FromSeconds(_bytesPerSecond == 0 ? 0 : Math.Min(2 * shape.ChunkBytes / _bytesPerSecond, 60));

    private int ChunksAhead
    {
        get
        {
            // The round trip comes on top: asking for less than it holds would slow the provider down, and then ask for less still.
            double bytes = _bytesPerSecond == 0 || _shortestAnswer == TimeSpan.MaxValue
                ? limits.BytesAheadStart
                : _bytesPerSecond * (limits.Ahead + _shortestAnswer).TotalSeconds;
            int most = Math.Min(limits.ChunksAheadMax, Math.Max(limits.ChunksAheadMin, limits.BytesAheadMax / shape.ChunkBytes));
            return (int)Math.Clamp(bytes / shape.ChunkBytes, limits.ChunksAheadMin, most);
        }
    }
}
