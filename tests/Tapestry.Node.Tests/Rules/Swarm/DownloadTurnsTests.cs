using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;
using Xunit;

namespace Tapestry.Node.Tests.Rules.Swarm;

/// <summary>The download limit in virtual time: fetches whose chunks come as soon as they are asked for, or as fast as their providers are.</summary>
public sealed class DownloadTurnsTests
{
    private const long BytesPerSecond = 1_000_000;

    private readonly DownloadTurns _turns = new(new TokenBucket(BytesPerSecond));

    [Theory]
    [InlineData(16 * 1024)]
    [InlineData(1024 * 1024)]
    public void A_limit_is_kept_by_asking_for_no_more(int chunkBytes)
    {
        Fetch alone = new(_turns, chunkBytes, everyMilliseconds: 50);
        Run(20, alone);
        alone.Bytes.Should().BeInRange(20 * BytesPerSecond * 19 / 20, (20 * BytesPerSecond) + (BytesPerSecond / 10) + chunkBytes);
    }

    [Theory]
    [InlineData(16 * 1024)]
    [InlineData(1024 * 1024)]
    public void It_is_shared_fairly_however_often_a_fetch_asks(int chunkBytes)
    {
        Fetch eager = new(_turns, chunkBytes, everyMilliseconds: 1);
        Fetch[] patient = [new(_turns, chunkBytes, everyMilliseconds: 50), new(_turns, chunkBytes, everyMilliseconds: 47)];
        Run(60, [eager, .. patient]);

        foreach (Fetch fetch in (Fetch[])[eager, .. patient])
        {
            fetch.Bytes.Should().BeInRange(18_000_000, 22_000_000);
        }
    }

    [Fact]
    public void Whoever_comes_later_gets_the_same_from_then_on_and_nothing_for_the_time_before()
    {
        Fetch first = new(_turns, 16 * 1024, everyMilliseconds: 20);
        Fetch later = new(_turns, 16 * 1024, everyMilliseconds: 50) { BeginsAt = TimeSpan.FromSeconds(30) };
        Run(60, first, later);
        first.Bytes.Should().BeInRange(44_000_000, 46_000_000);
        later.Bytes.Should().BeInRange(14_000_000, 16_000_000);
    }

    [Fact]
    public void What_one_cannot_use_goes_to_the_others()
    {
        Fetch slow = new(_turns, 16 * 1024, everyMilliseconds: 20) { ProviderBytesPerSecond = 100_000 };
        Fetch fast = new(_turns, 16 * 1024, everyMilliseconds: 50);
        Run(60, slow, fast);
        slow.Bytes.Should().BeInRange(5_500_000, 6_500_000);
        (slow.Bytes + fast.Bytes).Should().BeInRange(57_000_000, 60_200_000);
    }

    [Fact]
    public void Whoever_has_ended_holds_nobody_up()
    {
        Fetch ends = new(_turns, 16 * 1024, everyMilliseconds: 50) { EndsAt = TimeSpan.FromSeconds(10) };
        Fetch stays = new(_turns, 16 * 1024, everyMilliseconds: 50);
        Run(60, ends, stays);
        (ends.Bytes + stays.Bytes).Should().BeInRange(58_000_000, 60_200_000);
    }

    [Fact]
    public void Without_a_limit_everybody_gets_everything_at_once()
    {
        DownloadTurns unlimited = new(new TokenBucket(0));
        Fetch[] fetches = [new(unlimited, 1024 * 1024, everyMilliseconds: 10), new(unlimited, 1024 * 1024, everyMilliseconds: 50)];
        Run(1, fetches);
        fetches[0].Bytes.Should().BeGreaterThan(100 * 1024 * 1024);
        fetches[1].Bytes.Should().BeGreaterThan(20 * 1024 * 1024);
    }

    private static void Run(int seconds, params Fetch[] fetches)
    {
        for (int milliseconds = 0; milliseconds < 1000 * seconds; milliseconds++)
        {
            foreach (Fetch fetch in fetches)
            {
                fetch.Step(milliseconds);
            }
        }
    }

    /// <summary>A fetch of more than there is time for, from one provider.</summary>
    private sealed class Fetch(DownloadTurns turns, int chunkBytes, int everyMilliseconds)
    {
        private const int Chunks = 5000;

        private readonly BlobSchedule _schedule = NewSchedule(turns, chunkBytes);
        private readonly Queue<int> _coming = [];

        public TimeSpan BeginsAt { get; init; }

        public TimeSpan EndsAt { get; init; } = TimeSpan.MaxValue;

        public double ProviderBytesPerSecond { get; init; } = double.PositiveInfinity;

        public long Bytes { get; private set; }

        public void Step(int milliseconds)
        {
            TimeSpan now = TimeSpan.FromMilliseconds(milliseconds);
            if (now < BeginsAt || now >= EndsAt || milliseconds % everyMilliseconds != 0)
            {
                return;
            }

            foreach (SwarmOrder order in _schedule.Advance(now).Where(order => order.Kind == SwarmOrderKind.Chunks))
            {
                foreach (int chunk in Enumerable.Range(order.First, order.Count))
                {
                    _coming.Enqueue(chunk);
                }
            }

            while (_coming.Count > 0 && Bytes + chunkBytes <= ProviderBytesPerSecond * (now - BeginsAt).TotalSeconds)
            {
                int chunk = _coming.Dequeue();
                _schedule.Arrive(1, chunk, chunkBytes, now);
                _schedule.Hold(chunk, 1);
                Bytes += chunkBytes;
            }
        }

        private static BlobSchedule NewSchedule(DownloadTurns turns, int chunkBytes)
        {
            BlobSchedule schedule = new(new BlobShape(Digest.Of([1]), (long)Chunks * chunkBytes, chunkBytes), 1, new SwarmLimits(), turns.NewShare());
            for (int page = HashPages.Top; page < HashPages.Count(Chunks); page++)
            {
                schedule.HoldPage(page);
            }

            schedule.Join(1);
            schedule.OfferAll(1);
            return schedule;
        }
    }
}
