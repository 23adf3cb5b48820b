using Tapestry.Crypto;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;

namespace Tapestry.Node.Tests.Rules.Swarm;

/// <summary>Peers with links of a given rate, in virtual time: each asks by a <see cref="BlobSchedule"/> and sends in turn what it is asked for.</summary>
internal sealed class VirtualSwarm
{
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan NewsPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly PriorityQueue<Action, (TimeSpan At, long Number)> _events = new();
    private readonly BlobShape _shape;
    private long _number;

    public VirtualSwarm(int chunks, int chunkBytes, int fetchers, int seed, SwarmLimits? limits = null, int sources = 1)
    {
        _shape = new BlobShape(Digest.Of([1]), (long)chunks * chunkBytes, chunkBytes);
        for (int index = 0; index < fetchers + sources; index++)
        {
            bool isSource = index < sources;
            Peers.Add(new VirtualPeer(index, _shape, isSource ? null : new BlobSchedule(_shape, (seed * 1000) + index, limits ?? new SwarmLimits())));
        }
    }

    public List<VirtualPeer> Peers { get; } = [];

    public IEnumerable<VirtualPeer> Fetchers => Peers.Where(peer => peer.Schedule is not null);

    public TimeSpan Now { get; private set; }

    /// <summary>Runs until every fetcher has everything, or for so long.</summary>
    public void Run(TimeSpan most)
    {
        foreach (VirtualPeer asker in Fetchers)
        {
            foreach (VirtualPeer holder in Peers.Where(peer => peer != asker))
            {
                asker.Schedule!.Join(holder.Id);
                Announce(asker, holder);
            }

            TickForever(asker);
        }

        while (Now < most && Fetchers.Any(peer => peer.Schedule!.MissingCount > 0) && _events.TryDequeue(out Action? next, out (TimeSpan At, long) key))
        {
            Now = key.At;
            next();
        }
    }

    /// <summary>Does something at a moment.</summary>
    public void At(TimeSpan at, Action action) => _events.Enqueue(action, (at, _number++));

    /// <summary>A peer goes away, with all that was asked of it.</summary>
    public void Leave(VirtualPeer gone)
    {
        gone.IsGone = true;
        foreach (VirtualPeer other in Fetchers.Where(other => other != gone))
        {
            other.Schedule!.Leave(gone.Id);
        }
    }

    private void TickForever(VirtualPeer peer)
    {
        Advance(peer);
        foreach (int stalled in peer.Schedule!.Stalled(Now))
        {
            peer.Stalled.Add(stalled);
            peer.Schedule.Leave(stalled);
        }

        At(Now + Tick, () => TickForever(peer));
    }

    private void Announce(VirtualPeer asker, VirtualPeer holder) => At(Now + Latency, () =>
    {
        if (holder.Claims is null)
        {
            asker.Schedule!.OfferAll(holder.Id);
        }
        else
        {
            foreach (int chunk in holder.Claims)
            {
                asker.Schedule!.Offer(holder.Id, chunk);
            }
        }

        Advance(asker);
    });

    private void Advance(VirtualPeer peer)
    {
        foreach (SwarmOrder order in peer.Schedule!.Advance(Now))
        {
            VirtualPeer holder = Peers[order.Provider];
            peer.Said.Add(order);
            At(Now + Latency, () => Obey(holder, peer, order));
        }
    }

    private void Obey(VirtualPeer holder, VirtualPeer asker, SwarmOrder order)
    {
        if (holder.IsGone)
        {
            return;
        }

        LinkedList<int> queue = holder.QueueOf(asker);
        switch (order.Kind)
        {
            case SwarmOrderKind.Hashes:
                queue.AddLast(~(order.First + 1));
                break;
            case SwarmOrderKind.Chunks:
                foreach (int chunk in Enumerable.Range(order.First, order.Count))
                {
                    queue.AddLast(chunk);
                }

                break;
            case SwarmOrderKind.Cancel:
                queue.Remove(order.First);
                break;
        }

        Send(holder);
    }

    private void Send(VirtualPeer holder)
    {
        if (holder.IsSending || holder.IsGone || !holder.TryTakeTurn(out VirtualPeer? asker, out int item))
        {
            return;
        }

        int bytes = item < 0 ? HashPages.LeavesPerPage * Digest.Length : _shape.ChunkLength(item);
        holder.IsSending = true;
        holder.SentBytes += bytes;
        TimeSpan sent = Now + TimeSpan.FromSeconds(bytes / holder.UpBytesPerSecond);
        At(sent, () =>
        {
            holder.IsSending = false;
            Send(holder);
        });
        if (!holder.Loses(item))
        {
            for (int part = SwarmLimits.PartBytes; part < bytes; part += SwarmLimits.PartBytes)
            {
                At(Now + TimeSpan.FromSeconds(part / holder.UpBytesPerSecond) + Latency, () => asker.Schedule!.ArrivePart(holder.Id, Now));
            }

            At(sent + Latency, () => QueueDown(asker, holder, item, bytes));
        }
    }

    private void QueueDown(VirtualPeer asker, VirtualPeer holder, int item, int bytes)
    {
        asker.DownFreeAt = (Now > asker.DownFreeAt ? Now : asker.DownFreeAt) + TimeSpan.FromSeconds(bytes / asker.DownBytesPerSecond);
        At(asker.DownFreeAt, () => Receive(asker, holder, item, bytes));
    }

    private void Receive(VirtualPeer asker, VirtualPeer holder, int item, int bytes)
    {
        if (holder.IsGone || asker.Dropped.Contains(holder.Id))
        {
            return;
        }

        asker.ReceivedBytes += bytes;
        BlobSchedule schedule = asker.Schedule!;
        if (item < 0)
        {
            int page = ~item - 1;
            if (schedule.ArrivePage(holder.Id, page, bytes, Now) == Arrival.Wanted)
            {
                schedule.HoldPage(page);
            }
        }
        else
        {
            Arrival arrival = schedule.Arrive(holder.Id, item, bytes, Now);
            bool isBad = arrival == Arrival.Unsolicited || (arrival == Arrival.Wanted && holder.Falsifies(item));
            if (isBad)
            {
                asker.BadBytes += bytes;
                asker.Dropped.Add(holder.Id);
                schedule.Leave(holder.Id);
                holder.QueueOf(asker).Clear();
            }
            else if (arrival == Arrival.Wanted)
            {
                schedule.Hold(item, holder.Id);
                foreach (VirtualPeer other in Fetchers.Where(other => other != asker && !asker.IsGone && asker.Claims is not null))
                {
                    At(Now + Latency + NewsPause, () =>
                    {
                        other.Schedule!.Offer(asker.Id, item);
                        Advance(other);
                    });
                }

                asker.Claims?.Add(item);
            }
        }

        Advance(asker);
    }
}

/// <summary>One peer of a <see cref="VirtualSwarm"/>; honest unless told otherwise.</summary>
internal sealed class VirtualPeer(int id, BlobShape shape, BlobSchedule? schedule)
{
    private readonly SortedDictionary<int, (VirtualPeer Asker, LinkedList<int> Items)> _queues = [];
    private int _lastServed = -1;

    public int Id { get; } = id;

    public BlobSchedule? Schedule { get; } = schedule;

    /// <summary>What it says that it holds; null for everything.</summary>
    public HashSet<int>? Claims { get; set; } = schedule is null ? null : [];

    public double UpBytesPerSecond { get; set; } = 12_500_000;

    public double DownBytesPerSecond { get; set; } = 12_500_000;

    public Func<int, bool> Falsifies { get; set; } = _ => false;

    /// <summary>Items that it is asked for and never sends.</summary>
    public Func<int, bool> Loses { get; set; } = _ => false;

    public bool IsGone { get; set; }

    public bool IsSending { get; set; }

    public TimeSpan DownFreeAt { get; set; }

    public long SentBytes { get; set; }

    public long ReceivedBytes { get; set; }

    public long BadBytes { get; set; }

    public HashSet<int> Dropped { get; } = [];

    public HashSet<int> Stalled { get; } = [];

    public List<SwarmOrder> Said { get; } = [];

    public double SentCopies => (double)SentBytes / shape.Length;

    public LinkedList<int> QueueOf(VirtualPeer asker)
    {
        if (!_queues.TryGetValue(asker.Id, out (VirtualPeer, LinkedList<int> Items) queue))
        {
            queue = (asker, new LinkedList<int>());
            _queues.Add(asker.Id, queue);
        }

        return queue.Items;
    }

    /// <summary>The next item of the next asker: one each in turn.</summary>
    public bool TryTakeTurn(out VirtualPeer asker, out int item)
    {
        int[] waiting = [.. _queues.Where(queue => queue.Value.Items.Count > 0).Select(queue => queue.Key)];
        asker = this;
        item = 0;
        if (waiting.Length == 0)
        {
            return false;
        }

        _lastServed = waiting.FirstOrDefault(other => other > _lastServed, waiting[0]);
        (asker, LinkedList<int> items) = _queues[_lastServed];
        item = items.First!.Value;
        items.RemoveFirst();
        return true;
    }
}
