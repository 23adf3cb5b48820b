using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Node.Configuration;
using Tapestry.Node.Daemon;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Protocol;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;
using Tapestry.Torch;
using Tapestry.Training;
using Tapestry.Training.Optimization;
using Tapestry.Training.Text;

namespace Tapestry.Node.Rounds;

/// <summary>Trains this member's share of a round on its own text: the one place of a daemon that loads libtorch.</summary>
/// <remarks>
/// The inner optimiser's moments and the place in the text live across rounds; they are written atomically after every
/// round's training. A crash in between trains the round again from an older state, which is as good as any.
/// </remarks>
/// <param name="genesis">The network.</param>
/// <param name="self">This member.</param>
/// <param name="options">This machine's settings.</param>
/// <param name="machine">Threads, device and precision.</param>
/// <param name="folder">Where the state is kept.</param>
/// <param name="worker">Makes sure that the base is held.</param>
/// <param name="bases">Bases on disk.</param>
/// <param name="blobs">Shards and residuals on disk.</param>
/// <param name="board">What people see.</param>
/// <param name="logger">Where training is logged.</param>
internal sealed class RoundTrainer(
    Genesis genesis, Member self, NodeOptions options, MachineSettings machine, DataFolder folder, SliceWorker worker, BaseFiles bases,
    BlobStore blobs, StatusBoard board, ILogger<RoundTrainer> logger) : IDisposable
{
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly Plan _plan = genesis.Plan;
    private Corpus? _corpus;
    private Trainer? _trainer;

    /// <summary>Seed of the windows that a member draws: its own, so that two members with one text do not train on the same batches.</summary>
    public static long SamplingSeed(MemberId member) => BinaryPrimitives.ReadInt64BigEndian(Digest.Of(member.Key.ToArray()).ToArray()) & long.MaxValue;

    /// <summary>Opens text, model and saved state, and logs what computes here; for the start of the daemon.</summary>
    /// <exception cref="CliException">The text, libtorch or the saved state cannot be used.</exception>
    public void Open() => TorchErrors.Guard(() =>
    {
        Trainer trainer = OpenTrainer();
        RuntimeReport report = torch.report(Device.Parse(machine.Device));
        DaemonLog.Computes(logger, report.Line);
        if (report.Warning.Length > 0)
        {
            DaemonLog.ComputesBadly(logger, report.Warning);
        }

        return trainer;
    });

    /// <summary>Trains H steps from a base, encodes the update, and keeps shards and residual.</summary>
    public async Task<EffectOutcome> TrainAsync(Effect.Train effect, CancellationToken cancelled)
    {
        await _oneAtATime.WaitAsync(cancelled);
        try
        {
            if (await worker.EnsureBaseAsync(effect.Base, cancelled) is null || bases.ReadParameters(effect.Base) is not float[] start)
            {
                return new EffectOutcome.Failed(EffectFault.Unavailable, null);
            }

            // libtorch works for seconds: a thread of its own, so that the pool keeps serving the network.
            return await Task.Factory.StartNew(
                () => Train(effect, start, cancelled), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        catch (Exception error) when (error is TrainingDivergedException or InputFileException)
        {
            DaemonLog.TrainingFailed(logger, effect.Round, error.Message);
            return new EffectOutcome.Failed(EffectFault.Trainer, null);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _oneAtATime.Dispose();
    }

    private void Close()
    {
        _trainer?.Dispose();
        _trainer = null;
        _corpus?.Dispose();
        _corpus = null;
    }

    private EffectOutcome Train(Effect.Train effect, float[] start, CancellationToken cancelled)
    {
        Trainer trainer = OpenTrainer();
        trainer.StepsDone = (effect.Round - 1) * _plan.Inner.Steps;
        trainer.Load(start);
        double lossBefore = HeldOutNats(trainer, cancelled);
        TrainingSummary summary = trainer.TrainSteps(_plan.Inner.Steps, progress: null, cancelled);
        double lossAfter = HeldOutNats(trainer, cancelled);
        if (!double.IsFinite(lossBefore) || !double.IsFinite(lossAfter))
        {
            // Moments that came with such a loss are given up: the next attempt opens those of the last good round.
            Close();
            DaemonLog.TrainingFailed(logger, effect.Round, $"a held-out loss is not finite: {lossBefore} before, {lossAfter} after");
            return new EffectOutcome.Failed(EffectFault.Trainer, null);
        }

        float[] local = new float[start.Length];
        trainer.Store(local);
        trainer.Save(folder.Training);
        board.Trained(lossBefore, lossAfter);
        DaemonLog.Trained(logger, effect.Round, summary.Tokens, lossBefore, lossAfter, (long)summary.Elapsed.TotalMilliseconds);
        return Encode(effect, start, local, summary.Tokens, lossBefore, lossAfter);
    }

    /// <summary>What a manifest says of a model: on the beginnings of the held-out texts, so that measuring stays small beside training.</summary>
    /// <remarks>Adding zero makes -0, which no message can carry, 0.</remarks>
    private double HeldOutNats(Trainer trainer, CancellationToken cancelled) =>
        HeldOutLoss.Measure(trainer.Model, _corpus!.HeldOut, options.HeldOutTokens, cancelled).NatsPerToken + 0.0;

    private Trainer OpenTrainer()
    {
        if (_trainer is not null)
        {
            return _trainer;
        }

        _corpus = CorpusFiles.Open(CorpusFiles.At(options.CorpusPath), options.HeldOutPercent);
        Trainer trainer = new(PlanModel.Config(_plan.Model), PlanTrainer.Options(_plan, machine, SamplingSeed(self.Id)), _corpus);
        if (File.Exists(folder.Training))
        {
            trainer.Resume(folder.Training);
        }

        _trainer = trainer;
        return trainer;
    }

    private EffectOutcome Encode(
        Effect.Train effect, float[] start, float[] local, long tokens, double lossBefore, double lossAfter)
    {
        BaseLayout layout = bases.Layout;
        float[] residual = ReadResidual(effect);
        List<BlobWriter> written = [];
        try
        {
            for (int slice = 0; slice < layout.SliceCount; slice++)
            {
                SliceExtent extent = layout.Slice(slice);
                Range range = checked((int)extent.FirstElement)..checked((int)extent.FirstElement + extent.Elements);
                byte[] shard = new byte[layout.ShardBytes(slice, _plan.Exchange.Up)];
                Span<float> lost = residual.AsSpan(range);
                if (!UpdateEncoding.TryEncode(layout, slice, _plan.Exchange.Up, start.AsSpan(range), local.AsSpan(range), lost, shard, lost))
                {
                    DaemonLog.TrainingFailed(logger, effect.Round, "the update holds a value that is not finite");
                    return new EffectOutcome.Failed(EffectFault.Trainer, null);
                }

                BlobWriter writer = blobs.Create(effect.Round, layout.ShardChunkBytes(_plan.Exchange.Up));
                written.Add(writer);
                writer.Append(shard);
            }

            BlobWriter lostWriter = blobs.Create(effect.Round);
            written.Add(lostWriter);
            lostWriter.Append(MemoryMarshal.AsBytes(residual.AsSpan()));
            blobs.Commit(written);
            return new EffectOutcome.Trained(new LocalUpdate(
                effect.Base, written.Take(layout.SliceCount).Select(shard => shard.Root).ToSequence(), lostWriter.Root, tokens, lossBefore, lossAfter));
        }
        finally
        {
            written.ForEach(writer => writer.Dispose());
        }
    }

    /// <summary>What earlier encodings lost, [P]; zeros when there is none, or when the disk has damaged it: then it is lost for good.</summary>
    private float[] ReadResidual(Effect.Train effect)
    {
        float[] residual = new float[bases.Layout.ParameterCount];
        if (effect.Residual.IsZero)
        {
            return residual;
        }

        blobs.Keep(effect.Residual, effect.Round);
        if (blobs.TryOpen(effect.Residual, out Blob? blob))
        {
            using (blob)
            {
                if (blob.Length == (long)residual.Length * sizeof(float) && blob.TryReadAll(MemoryMarshal.AsBytes(residual.AsSpan())))
                {
                    return residual;
                }
            }
        }

        DaemonLog.ResidualLost(logger, effect.Round);
        return new float[residual.Length];
    }
}
