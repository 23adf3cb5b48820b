using FluentAssertions;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;
using Xunit;

namespace Tapestry.Node.Tests.Rules.Swarm;

/// <summary>The schedule in virtual time: what a swarm of them makes of links and of liars. Every run is repeated by its seed.</summary>
public sealed class BlobScheduleTests
{
    private const int ChunkBytes = 64 * 1024;

    // What the source's uplink alone would need to serve eight, as it would without a swarm: 8 * 1,024 chunks at 100 Mbit/s.
    private static readonly TimeSpan Patient = TimeSpan.FromMinutes(10);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Eight_fetchers_spread_a_blob_among_themselves(int seed)
    {
        VirtualSwarm swarm = new(chunks: 1024, ChunkBytes, fetchers: 8, seed);
        swarm.Run(Patient);

        double alone = 8 * 1024 * (double)ChunkBytes / 12_500_000;
        AllEnd(swarm);
        (alone / swarm.Now.TotalSeconds).Should().BeGreaterThan(5, "so many times faster than the source alone, seed {0}", seed);
        swarm.Peers[0].SentCopies.Should().BeLessThan(1.6);
        swarm.Fetchers.Should().OnlyContain(peer => peer.ReceivedBytes < 1.1 * 1024 * ChunkBytes, "next to nothing comes twice");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Several_sources_share_the_work(int seed)
    {
        VirtualSwarm swarm = new(chunks: 256, ChunkBytes, fetchers: 1, seed, sources: 4);
        foreach (VirtualPeer source in swarm.Peers.Take(4))
        {
            source.UpBytesPerSecond = 2_500_000;
        }

        swarm.Run(Patient);
        AllEnd(swarm);
        swarm.Peers.Take(4).Should().OnlyContain(source => source.SentCopies > 0.15 && source.SentCopies < 0.4);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_third_of_liars_costs_each_fetcher_one_chunk_of_each(int seed)
    {
        // Two of three claim everything from the start and send nothing but lies.
        VirtualSwarm swarm = new(chunks: 300, ChunkBytes, fetchers: 6, seed);
        VirtualPeer[] liars = [swarm.Peers[3], swarm.Peers[5]];
        foreach (VirtualPeer liar in liars)
        {
            liar.Claims = null;
            liar.Falsifies = _ => true;
        }

        swarm.Run(Patient);
        AllEnd(swarm);
        foreach (VirtualPeer honest in swarm.Fetchers.Except(liars))
        {
            honest.Dropped.Should().BeEquivalentTo(liars.Select(liar => liar.Id));
            honest.BadBytes.Should().Be(liars.Length * ChunkBytes);
        }
    }

    [Fact]
    public void Swarms_of_slow_lying_and_silent_peers_end_all_the_same()
    {
        foreach (int seed in Enumerable.Range(1, 30))
        {
            Random random = new(seed);
            VirtualSwarm swarm = new(20 + random.Next(200), 16 * 1024 * (1 + random.Next(8)), 2 + random.Next(7), seed, sources: 1 + random.Next(2));
            foreach (VirtualPeer peer in swarm.Peers)
            {
                peer.UpBytesPerSecond = 100_000 * Math.Pow(10, 2.5 * random.NextDouble());
                peer.DownBytesPerSecond = 100_000 * Math.Pow(10, 2.5 * random.NextDouble());
            }

            foreach (VirtualPeer hostile in swarm.Fetchers.Where(_ => random.Next(3) == 0))
            {
                int some = random.Next(50);
                hostile.Claims = null;
                switch (random.Next(3))
                {
                    case 0:
                        hostile.Falsifies = _ => true;
                        break;
                    case 1:
                        hostile.Loses = _ => true;
                        break;
                    default:
                        hostile.Falsifies = item => item % 50 == some;
                        break;
                }
            }

            swarm.Run(TimeSpan.FromHours(1));
            swarm.Fetchers.Should().OnlyContain(peer => peer.Schedule!.MissingCount == 0, "seed {0}", seed);
        }
    }

    [Fact]
    public void What_a_silent_provider_owes_is_asked_of_others()
    {
        SwarmLimits limits = new() { LateAfter = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromSeconds(5) };
        VirtualSwarm swarm = new(chunks: 64, ChunkBytes, fetchers: 1, seed: 1, limits, sources: 2);
        swarm.Peers[0].Loses = _ => true;
        swarm.Run(Patient);

        AllEnd(swarm);
        swarm.Now.Should().BeLessThan(TimeSpan.FromSeconds(3), "nobody waits for its whole patience");
        swarm.Peers[1].SentCopies.Should().BeGreaterThan(0.99);
    }

    [Fact]
    public void A_provider_that_stays_silent_is_given_up()
    {
        SwarmLimits limits = new() { Patience = TimeSpan.FromSeconds(5) };
        VirtualSwarm swarm = new(chunks: 64, ChunkBytes, fetchers: 1, seed: 1, limits);
        swarm.Peers[0].Loses = item => item >= 32;
        swarm.Run(TimeSpan.FromSeconds(20));

        VirtualPeer fetcher = swarm.Peers[1];
        fetcher.Stalled.Should().Equal(0);
        fetcher.Schedule!.MissingCount.Should().BeGreaterThan(0);
    }

    [Theory]
    [InlineData(3_400, true)]
    [InlineData(3_200, false)]
    public void A_chunk_may_take_longer_than_patience_lasts_but_not_the_parts_of_it(double bytesPerSecond, bool comes)
    {
        // 256 KiB in 20 s and the minute more of a provider whose hashes came slowly.
        VirtualSwarm swarm = new(chunks: 3, 1024 * 1024, fetchers: 1, seed: 1);
        swarm.Peers[0].UpBytesPerSecond = bytesPerSecond;
        swarm.Run(TimeSpan.FromHours(1));

        (swarm.Peers[1].Schedule!.MissingCount == 0).Should().Be(comes);
        swarm.Peers[1].Stalled.Should().HaveCount(comes ? 0 : 1);
    }

    [Fact]
    public void A_slow_provider_holds_up_nobody()
    {
        VirtualSwarm swarm = new(chunks: 256, ChunkBytes, fetchers: 1, seed: 1, sources: 2);
        swarm.Peers[0].UpBytesPerSecond = 50_000;
        swarm.Run(Patient);

        AllEnd(swarm);
        swarm.Now.Should().BeLessThan(TimeSpan.FromSeconds(3.5), "the fast one alone needs 1.3 s");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Whoever_leaves_in_the_middle_is_replaced(int seed)
    {
        VirtualSwarm swarm = new(chunks: 256, ChunkBytes, fetchers: 3, seed, sources: 2);
        swarm.At(TimeSpan.FromSeconds(0.7), () => swarm.Leave(swarm.Peers[0]));
        swarm.Run(Patient);
        AllEnd(swarm);
    }

    [Fact]
    public void What_is_held_already_is_not_asked_for()
    {
        VirtualSwarm swarm = new(chunks: 100, ChunkBytes, fetchers: 1, seed: 1);
        foreach (int chunk in Enumerable.Range(0, 100).Where(chunk => chunk % 3 > 0))
        {
            swarm.Peers[1].Schedule!.Hold(chunk);
        }

        swarm.Run(Patient);
        AllEnd(swarm);
        swarm.Peers[1].Said.Where(order => order.Kind == SwarmOrderKind.Chunks).Should().OnlyContain(order => order.First % 3 == 0 && order.Count == 1);
        swarm.Peers[1].Said.Where(order => order.Kind == SwarmOrderKind.Chunks).Should().HaveCount(34);
    }

    [Fact]
    public void Hashes_are_asked_of_a_provider_before_the_chunks_that_need_them_and_not_when_they_are_held()
    {
        BlobSchedule schedule = new(new BlobShape(Crypto.Digest.Of([1]), 3000L * ChunkBytes, ChunkBytes), 1, new SwarmLimits());
        schedule.Join(7);
        schedule.OfferAll(7);
        SwarmOrder[] first = [.. schedule.Advance(TimeSpan.Zero)];

        first[0].Should().Be(new SwarmOrder(7, SwarmOrderKind.Hashes, HashPages.Top, 1));
        int[] pages = [.. first.Where(order => order.Kind == SwarmOrderKind.Hashes).Skip(1).Select(order => order.First)];
        pages.Should().BeEquivalentTo(first.Where(order => order.Kind == SwarmOrderKind.Chunks).Select(order => order.First / 1024).Distinct());
        first.SkipWhile(order => order.Kind == SwarmOrderKind.Hashes).Should().OnlyContain(order => order.Kind == SwarmOrderKind.Chunks);

        schedule.HoldPage(HashPages.Top);
        foreach (int page in Enumerable.Range(0, 3))
        {
            schedule.HoldPage(page);
        }

        schedule.Join(8);
        schedule.OfferAll(8);
        schedule.Advance(TimeSpan.Zero).Should().NotBeEmpty().And.OnlyContain(order => order.Kind == SwarmOrderKind.Chunks && order.Provider == 8);
    }

    [Fact]
    public void What_nobody_asked_for_is_unsolicited_and_what_was_cancelled_is_late()
    {
        BlobSchedule schedule = new(new BlobShape(Crypto.Digest.Of([1]), 4L * ChunkBytes, ChunkBytes), 1, new SwarmLimits());
        schedule.Join(1);
        schedule.Arrive(1, 0, ChunkBytes, TimeSpan.Zero).Should().Be(Arrival.Unsolicited);
        schedule.ArrivePage(1, 0, 32, TimeSpan.Zero).Should().Be(Arrival.Unsolicited);
        schedule.Arrive(1, 4, ChunkBytes, TimeSpan.Zero).Should().Be(Arrival.Unsolicited, "there is no such chunk");
        schedule.Arrive(2, 0, ChunkBytes, TimeSpan.Zero).Should().Be(Arrival.Unsolicited, "there is no such provider");

        schedule.OfferAll(1);
        int asked = schedule.Advance(TimeSpan.Zero).First(order => order.Kind == SwarmOrderKind.Chunks).First;
        schedule.Hold(asked);
        schedule.Advance(TimeSpan.Zero).Should().Contain(new SwarmOrder(1, SwarmOrderKind.Cancel, asked, 1));
        schedule.Arrive(1, asked, ChunkBytes, TimeSpan.Zero).Should().Be(Arrival.Late);
        schedule.Arrive(1, asked, ChunkBytes, TimeSpan.Zero).Should().Be(Arrival.Unsolicited, "once is enough");
    }

    [Fact]
    public void The_same_seed_gives_the_same_run()
    {
        SwarmOrder[] first = Said(5);
        Said(5).Should().Equal(first);
        Said(6).Should().NotEqual(first);

        static SwarmOrder[] Said(int seed)
        {
            VirtualSwarm swarm = new(chunks: 100, ChunkBytes, fetchers: 3, seed);
            swarm.Run(Patient);
            return [.. swarm.Fetchers.SelectMany(peer => peer.Said)];
        }
    }

    private static void AllEnd(VirtualSwarm swarm) =>
        swarm.Fetchers.Should().OnlyContain(peer => peer.Schedule!.MissingCount == 0, "it had {0} of virtual time", swarm.Now);
}
