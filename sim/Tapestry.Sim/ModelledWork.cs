using System.Buffers.Binary;
using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Sim.Faults;

namespace Tapestry.Sim;

/// <summary>Performs the effects that take time: training, transfers, aggregation. Big data are names; who holds what is real.</summary>
internal sealed class ModelledWork(World world)
{
    private const long AggregateUs = 5_000;

    // A provider that does not answer is given up after this many delays.
    private const int PatienceDelays = 3;

    private readonly RandomStream _random = world.Stream(WorldStream.Work);

    internal void Begin(Host host, Effect effect)
    {
        switch (effect)
        {
            case Effect.Train train:
                Train(host, train);
                break;
            case Effect.CheckShards check:
                Digest update = NameOfUpdate(check.Manifest.ShardRoots);
                Obtain(host, check.Id, update, world.Options.UpdateBytes, check.Providers, _ =>
                    new EffectOutcome.ShardsChecked(check.Manifest.ShardRoots.Select(SumOfSquares).ToSequence()));
                break;
            case Effect.Aggregate aggregate:
                Aggregate(host, aggregate, 0);
                break;
            case Effect.ApplyAggregate apply when host.Blobs.Contains(apply.Result.NewBase):
                host.EndIn(AggregateUs, apply.Id, new EffectOutcome.BaseReady(apply.Result.NewBase));
                break;
            case Effect.ApplyAggregate apply:
                Obtain(host, apply.Id, apply.Result.AggregateRoot, world.Options.UpdateBytes, apply.Providers, _ =>
                {
                    host.Blobs.Add(apply.Result.NewBase, host.Round);
                    return new EffectOutcome.BaseReady(apply.Result.NewBase);
                });
                break;
            case Effect.FetchBase fetch:
                Obtain(host, fetch.Id, fetch.Base, world.Options.BaseBytes, fetch.Providers, _ => new EffectOutcome.BaseReady(fetch.Base));
                break;
            case Effect.FetchBody fetch:
                FetchRow(host, fetch.Id, fetch.Providers, Table.Bodies, RecordKeys.Of(fetch.Body), fetch.IsAnsweredBy);
                break;
            case Effect.FetchRound fetch:
                FetchRow(host, fetch.Id, fetch.Providers, Table.Rounds, RecordKeys.Number(fetch.Round), _ => true);
                break;
            default:
                throw new ArgumentException($"The simulator cannot perform {effect.GetType().Name}.", nameof(effect));
        }
    }

    private void Train(Host host, Effect.Train train)
    {
        long duration = _random.Between(world.Options.TrainMinimumMs * 1000L, world.Options.TrainMaximumMs * 1000L);
        long tokens = _random.Between(1000, 20_000);
        host.DeliverIn(duration, () =>
        {
            if (host.IsCancelled(train.Id))
            {
                return new PartnerEvent.EffectEnded(train.Id, new EffectOutcome.Failed(EffectFault.Cancelled, null));
            }

            Sequence<Digest> roots = Enumerable.Range(0, SimPlan.Slices)
                .Select(slice => Name("shard"u8, host.Id.Key.ToArray(), train.Base.ToArray(), train.Residual.ToArray(), [(byte)slice])).ToSequence();
            host.Blobs.Add(NameOfUpdate(roots), host.Round, roots);
            Digest residual = Name("residual"u8, host.Id.Key.ToArray(), train.Base.ToArray(), train.Residual.ToArray());
            LocalUpdate update = new(train.Base, roots, residual, tokens, LossBefore: 2, LossAfter: 1);
            return new PartnerEvent.EffectEnded(train.Id, new EffectOutcome.Trained(update));
        });
    }

    /// <summary>Fetches what is missing, one contribution after another, then aggregates.</summary>
    private void Aggregate(Host host, Effect.Aggregate aggregate, int index)
    {
        for (; index < aggregate.Contributions.Count; index++)
        {
            Digest update = NameOfUpdate(aggregate.Contributions[index].ShardRoots);
            if (!host.Blobs.Contains(update))
            {
                int here = index;
                Obtain(host, aggregate.Id, update, world.Options.UpdateBytes, aggregate.Providers, _ =>
                {
                    Aggregate(host, aggregate, here + 1);
                    return null;
                });
                return;
            }
        }

        host.DeliverIn(AggregateUs, () =>
        {
            Sequence<SliceOutcome> outcomes = aggregate.Slices.Select(slice => OutcomeOf(aggregate, slice)).ToSequence();
            host.Blobs.Add(MerkleTree.Root([.. outcomes.Select(outcome => outcome.AggregateRoot)]), host.Round);
            host.Blobs.Add(MerkleTree.Root([.. outcomes.Select(outcome => outcome.BaseRoot)]), host.Round);
            return new PartnerEvent.EffectEnded(aggregate.Id, new EffectOutcome.Aggregated(outcomes));
        });
    }

    /// <summary>The roots that every machine would compute: named by everything that goes into them.</summary>
    private SliceOutcome OutcomeOf(Effect.Aggregate aggregate, int slice)
    {
        List<byte> input = [.. aggregate.Base.ToArray(), (byte)slice];
        Span<byte> number = stackalloc byte[8];
        foreach (Contribution contribution in aggregate.Contributions)
        {
            if (world.Overflowing.Contains(contribution.ShardRoots[slice]))
            {
                return new SliceOutcome(slice, Digest.Zero, Digest.Zero);
            }

            input.AddRange(contribution.ShardRoots[slice].ToArray());
            BinaryPrimitives.WriteDoubleBigEndian(number, contribution.Scale);
            input.AddRange(number);
            BinaryPrimitives.WriteInt64BigEndian(number, contribution.Weight);
            input.AddRange(number);
        }

        byte[] all = [.. input];
        return new SliceOutcome(slice, Name("aggregate"u8, all), Name("base"u8, all));
    }

    /// <summary>Holds a blob after a transfer from the first provider that has it, then ends the effect.</summary>
    private void Obtain(
        Host host, EffectId effect, Digest blob, long bytes, Sequence<MemberId> providers, Func<Host, EffectOutcome?> whenHeld)
    {
        if (host.Blobs.Contains(blob))
        {
            EndWith(host, 0, effect, host, whenHeld);
            return;
        }

        Ask(host, effect, providers, 0, bytes, provider => provider.Blobs.Contains(blob) && provider.Fault?.Serves(host, blob) != false, provider =>
        {
            host.Blobs.Add(blob, host.Round);
            EndWith(host, 0, effect, provider, whenHeld);
        });
    }

    /// <summary>Asks for a row until an answer is one, whatever liars answer.</summary>
    private void FetchRow(
        Host host, EffectId effect, Sequence<MemberId> providers, Table table, ByteString key, Predicate<ByteString> isAnswer)
    {
        ByteString? row = null;
        Ask(
            host, effect, providers, 0, 0,
            provider =>
            {
                ByteString? held = provider.Disk.Read(table, key);
                row = provider.Fault is Fault fault ? fault.Answer(host, table, held) : held;
                return row is not null && isAnswer(row);
            },
            provider => EndWith(host, world.Network.Upload(provider, row!.Length), effect, provider, _ => new EffectOutcome.Fetched(row)));
    }

    private static void EndWith(Host host, long delayUs, EffectId effect, Host provider, Func<Host, EffectOutcome?> outcome)
    {
        if (delayUs == 0)
        {
            if (outcome(provider) is EffectOutcome now)
            {
                host.EndIn(0, effect, now);
            }
        }
        else if (outcome(provider) is EffectOutcome later)
        {
            host.EndIn(delayUs, effect, later);
        }
    }

    /// <summary>Asks one provider after another: a request there, an answer back, or patience runs out.</summary>
    private void Ask(
        Host host, EffectId effect, Sequence<MemberId> providers, int index, long bytes, Predicate<Host> has, Action<Host> found)
    {
        if (host.IsCancelled(effect))
        {
            return;
        }

        if (index == providers.Count)
        {
            host.EndIn(0, effect, new EffectOutcome.Failed(EffectFault.Unavailable, null));
            return;
        }

        Host provider = world.HostOf(providers[index]);
        int life = host.Life;
        long there = world.Network.Delay();
        long back = world.Network.Delay();
        world.Time.In(there, () =>
        {
            if (life != host.Life)
            {
                return;
            }

            bool answers = provider.IsUp && !world.Network.AreSeparated(host, provider);
            bool serves = answers && has(provider);
            long delay = serves ? back + world.Network.Upload(provider, bytes)
                : answers ? back
                : world.Options.DelayMs * 1000L * PatienceDelays;
            world.Time.In(delay, () =>
            {
                if (life != host.Life)
                {
                    return;
                }

                if (serves)
                {
                    found(provider);
                }
                else
                {
                    Ask(host, effect, providers, index + 1, bytes, has, found);
                }
            });
        });
    }

    internal static Digest NameOfUpdate(Sequence<Digest> roots) => MerkleTree.Root(roots.AsSpan());

    /// <summary>A sum that every honest holder measures alike; about one in 250 is far above the others.</summary>
    private static double SumOfSquares(Digest shardRoot)
    {
        byte[] bytes = shardRoot.ToArray();
        double sum = 1 + (bytes[0] / 256.0);
        return bytes[1] == 0 ? sum * 400 : sum;
    }

    private static Digest Name(ReadOnlySpan<byte> kind, params ReadOnlySpan<byte[]> parts)
    {
        List<byte> all = [.. kind];
        foreach (byte[] part in parts)
        {
            all.AddRange(part);
        }

        return Digest.Of(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(all));
    }
}
