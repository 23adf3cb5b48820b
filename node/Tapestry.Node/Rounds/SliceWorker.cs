using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Node.Daemon;
using Tapestry.Node.Network;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;
using Tapestry.Protocol;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Rounds;

/// <summary>Does what a committee member and a member do with slices: check shards, aggregate, apply, fetch a base.</summary>
/// <remarks>All arithmetic is Tapestry.Protocol.Aggregation's; here are only fetching, reading and writing around it.</remarks>
/// <param name="genesis">The network.</param>
/// <param name="bases">Bases on disk.</param>
/// <param name="blobs">Shards and aggregates on disk.</param>
/// <param name="lists">Lists of slice roots on disk.</param>
/// <param name="swarm">Brings blobs of others.</param>
/// <param name="questions">Brings lists of others.</param>
/// <param name="board">Says which round this is.</param>
/// <param name="neighbours">All other members, for what got lost here.</param>
internal sealed class SliceWorker(
    Genesis genesis, BaseFiles bases, BlobStore blobs, RootLists lists, MemberBlobs swarm, Questions questions, StatusBoard board,
    Neighbours neighbours)
{
    private readonly Plan _plan = genesis.Plan;

    private BaseLayout Layout => bases.Layout;

    private long Round => board.Partner?.Round ?? 0;

    /// <summary>Fetches, checks and measures every shard of a manifest.</summary>
    public async Task<EffectOutcome> CheckShardsAsync(Effect.CheckShards effect, CancellationToken cancelled)
    {
        // The other seats want the same shards now: together, they ask the author for each little more than once.
        if (await FetchShardsAsync(effect.Manifest.ShardRoots, effect.Manifest.Codec, effect.Providers.Concat(OtherSeats), cancelled)
            is EffectOutcome.Failed failed)
        {
            return failed;
        }

        double[] sums = new double[Layout.SliceCount];
        for (int slice = 0; slice < sums.Length; slice++)
        {
            Digest root = effect.Manifest.ShardRoots[slice];
            if (!TryReadShard(root, slice, effect.Manifest.Codec, out byte[] shard))
            {
                return new EffectOutcome.Failed(EffectFault.Unavailable, null);
            }

            if (!SumOfSquares.TryMeasure(Layout, slice, effect.Manifest.Codec, shard, out sums[slice]))
            {
                // The bytes are what the manifest names, so its author made them; it is the first provider.
                return new EffectOutcome.Failed(EffectFault.BadEncoding, effect.Providers.Count > 0 ? effect.Providers[0] : null);
            }
        }

        return new EffectOutcome.ShardsChecked(sums.ToSequence());
    }

    /// <summary>Aggregates slices, takes the outer step on them, and keeps both results.</summary>
    public async Task<EffectOutcome> AggregateAsync(Effect.Aggregate effect, CancellationToken cancelled)
    {
        if (await EnsureBaseAsync(effect.Base, cancelled) is not Digest[] before)
        {
            return new EffectOutcome.Failed(EffectFault.Unavailable, null);
        }

        IEnumerable<BlobShape> shards = effect.Contributions.SelectMany(contribution => effect.Slices.Select(
            slice => ShardOf(contribution.ShardRoots[slice], slice, contribution.Codec)));
        if (await swarm.FetchAsync(shards, Round, effect.Providers, cancelled) is EffectOutcome.Failed failed)
        {
            return failed;
        }

        RequireSoundArithmetic();
        using BaseDraft draft = bases.Draft(Round);
        List<BlobWriter> aggregates = [];
        try
        {
            return Aggregate(effect, before, draft, aggregates, cancelled);
        }
        finally
        {
            aggregates.ForEach(aggregate => aggregate.Dispose());
        }
    }

    /// <summary>Makes the certified base from the old one and the aggregates.</summary>
    public async Task<EffectOutcome> ApplyAsync(Effect.ApplyAggregate effect, CancellationToken cancelled)
    {
        DecidedValue.Result result = effect.Result;
        if (bases.Keep(result.NewBase, Round))
        {
            // Whoever aggregated every slice has made it already.
            return new EffectOutcome.BaseReady(result.NewBase);
        }

        if (await EnsureBaseAsync(effect.Base, cancelled) is not Digest[] before
            || await ListAsync(result.AggregateRoot, effect.Providers, cancelled) is not Digest[] aggregates)
        {
            return new EffectOutcome.Failed(EffectFault.Unavailable, null);
        }

        if (await FetchShardsAsync(aggregates.ToSequence(), _plan.Exchange.Down, effect.Providers, cancelled) is EffectOutcome.Failed failed)
        {
            return failed;
        }

        RequireSoundArithmetic();
        using BaseDraft draft = bases.Draft(Round);
        for (int slice = 0; slice < aggregates.Length; slice++)
        {
            SliceBuffer buffer = new(Layout.Slice(slice));
            if (!bases.TryReadSlice(before[slice], buffer) || !TryReadShard(aggregates[slice], slice, _plan.Exchange.Down, out byte[] aggregate))
            {
                return new EffectOutcome.Failed(EffectFault.Unavailable, null);
            }

            if (!SliceAggregation.TryApply(Layout, slice, _plan.Exchange.Down, aggregate, _plan.Outer, buffer.Slice, buffer.Slice))
            {
                return new EffectOutcome.Failed(EffectFault.Diverged, null);
            }

            draft.Add(buffer);
        }

        return draft.Commit() == result.NewBase
            ? new EffectOutcome.BaseReady(result.NewBase)
            : new EffectOutcome.Failed(EffectFault.Diverged, null);
    }

    /// <summary>Fetches a whole base.</summary>
    public async Task<EffectOutcome> FetchBaseAsync(Effect.FetchBase effect, CancellationToken cancelled) =>
        await FetchBaseAsync(effect.Base, effect.Providers, cancelled) is EffectOutcome.Failed failed ? failed : new EffectOutcome.BaseReady(effect.Base);

    /// <summary>Makes sure that a base which should be held is, even if the disk has damaged it.</summary>
    /// <returns>The roots of its slices; null when nobody has it.</returns>
    public async Task<Digest[]?> EnsureBaseAsync(Digest @base, CancellationToken cancelled)
    {
        if (bases.SlicesOf(@base) is null)
        {
            await FetchBaseAsync(@base, Everybody, cancelled);
        }

        return bases.SlicesOf(@base);
    }

    /// <summary>Deletes what only rounds before <paramref name="round"/> name, except the base that we stand on and what is kept.</summary>
    public void Forget(long round, Sequence<Digest> keep)
    {
        if (board.Partner is PartnerStatus { HoldsBase: true } partner)
        {
            bases.Keep(partner.Base, partner.Round);
        }

        blobs.Forget(round, keep.AsSpan());
        lists.Forget(round);
    }

    private IEnumerable<MemberId> Everybody => genesis.Members.Select(member => member.Id).Where(member => member != neighbours.Self);

    private EffectOutcome Aggregate(
        Effect.Aggregate effect, Digest[] before, BaseDraft draft, List<BlobWriter> aggregates, CancellationToken cancelled)
    {
        List<SliceOutcome> outcomes = [];
        foreach (int slice in effect.Slices)
        {
            cancelled.ThrowIfCancellationRequested();
            SliceBuffer buffer = new(Layout.Slice(slice));
            if (!bases.TryReadSlice(before[slice], buffer) || ReadShards(effect, slice) is not WeightedShard[] shards)
            {
                return new EffectOutcome.Failed(EffectFault.Unavailable, null);
            }

            byte[] aggregate = new byte[Layout.ShardBytes(slice, _plan.Exchange.Down)];
            outcomes.Add(SliceAggregation.Aggregate(
                Layout, slice, shards, _plan.Exchange.Down, _plan.Outer, buffer.Slice, buffer.Slice, aggregate));
            BlobWriter writer = blobs.Create(Round, Layout.ShardChunkBytes(_plan.Exchange.Down));
            aggregates.Add(writer);
            writer.Append(aggregate);
            draft.Add(buffer);
        }

        blobs.Commit(aggregates);
        if (outcomes.TrueForAll(outcome => !outcome.IsNonFinite) && outcomes.Count == Layout.SliceCount)
        {
            lists.Write([.. outcomes.Select(outcome => outcome.AggregateRoot)], Round);
            draft.Commit();
        }

        return new EffectOutcome.Aggregated(outcomes.ToSequence());
    }

    private WeightedShard[]? ReadShards(Effect.Aggregate effect, int slice)
    {
        WeightedShard[] shards = new WeightedShard[effect.Contributions.Count];
        for (int index = 0; index < shards.Length; index++)
        {
            Contribution contribution = effect.Contributions[index];
            if (!TryReadShard(contribution.ShardRoots[slice], slice, contribution.Codec, out byte[] shard))
            {
                return null;
            }

            shards[index] = new WeightedShard(contribution.Codec, shard, contribution.Scale, contribution.Weight);
        }

        return shards;
    }

    private IEnumerable<MemberId> OtherSeats => genesis.Committee.Where(member => member != neighbours.Self);

    private BlobShape ShardOf(Digest root, int slice, Codec codec) => new(root, Layout.ShardBytes(slice, codec), Layout.ShardChunkBytes(codec));

    private Task<EffectOutcome.Failed?> FetchShardsAsync(
        Sequence<Digest> roots, Codec codec, IEnumerable<MemberId> providers, CancellationToken cancelled) =>
        swarm.FetchAsync(roots.Select((root, slice) => ShardOf(root, slice, codec)), Round, [.. providers], cancelled);

    private bool TryReadShard(Digest root, int slice, Codec codec, out byte[] shard)
    {
        shard = new byte[Layout.ShardBytes(slice, codec)];
        if (!blobs.TryOpen(root, out Blob? blob))
        {
            return false;
        }

        using (blob)
        {
            return blob.Length == shard.Length && blob.TryReadAll(shard);
        }
    }

    private async Task<EffectOutcome.Failed?> FetchBaseAsync(Digest @base, IEnumerable<MemberId> providers, CancellationToken cancelled)
    {
        MemberId[] holders = [.. providers];
        if (await ListAsync(@base, holders, cancelled) is not Digest[] slices)
        {
            return new EffectOutcome.Failed(EffectFault.Unavailable, null);
        }

        IEnumerable<BlobShape> shapes = slices.Select((root, slice) => new BlobShape(
            root, (long)BaseLayout.Sections * Layout.Slice(slice).Chunks * Layout.ChunkBytes, Layout.ChunkBytes));
        if (await swarm.FetchAsync(shapes, Round, holders, cancelled) is EffectOutcome.Failed failed)
        {
            return failed;
        }

        lists.Write(slices, Round);
        return null;
    }

    /// <summary>The list of slice roots behind a name: our own, or another's that proves to be it.</summary>
    private async Task<Digest[]?> ListAsync(Digest name, IEnumerable<MemberId> providers, CancellationToken cancelled)
    {
        if (lists.Read(name) is Digest[] held)
        {
            return held;
        }

        bool IsList(ByteString bytes) => RootLists.TryParse(bytes.Span, name, out Digest[] parsed) && parsed.Length == Layout.SliceCount;
        ByteString? answer = await questions.AskAsync(
            providers, TapestryProtocols.Roots, name.ToArray(), Limits.Slices * Digest.Length, IsList, cancelled);
        return answer is not null && RootLists.TryParse(answer.Span, name, out Digest[] roots) ? roots : null;
    }

    /// <summary>The mode of floating point belongs to a thread, and any library may have changed it.</summary>
    private static void RequireSoundArithmetic()
    {
        MachineFault fault = MachineCheck.Check();
        if (fault != MachineFault.None)
        {
            throw new CliException(
                "machine-unfit", $"This process cannot compute the bytes that all members compute: {fault}.",
                "A library built with fast-math is loaded; run the daemon without it.", ExitCode.Internal);
        }
    }
}
