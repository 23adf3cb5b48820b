using Microsoft.Extensions.Logging;
using Tapestry.Cli;
using Tapestry.Node.Network;
using Tapestry.Node.Rounds;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Daemon;

/// <summary>Performs the rules' effects for real: hands each to the part that does it.</summary>
/// <param name="network">Sends.</param>
/// <param name="publisher">Publishes.</param>
/// <param name="questions">Fetches bodies and rounds.</param>
/// <param name="worker">Checks shards, aggregates, applies.</param>
/// <param name="trainer">Trains.</param>
/// <param name="tasks">Effects under way.</param>
/// <param name="timers">Timers that are set.</param>
/// <param name="checkpoints">Signs the ledger's head after a round.</param>
/// <param name="board">What people see.</param>
/// <param name="end">Told when the rules halt.</param>
/// <param name="self">This member.</param>
/// <param name="logger">Where rounds and faults are logged.</param>
internal sealed class EffectPerformer(
    NetworkService network, IPublisher publisher, Questions questions, SliceWorker worker, RoundTrainer trainer, EffectTasks tasks, TimerBoard timers,
    CheckpointWriter checkpoints, StatusBoard board, DaemonEnd end, Member self, ILogger<EffectPerformer> logger) : IEffectPerformer
{
    /// <inheritdoc/>
    public void Perform(Effect effect)
    {
        switch (effect)
        {
            case Effect.Send send:
                network.Send(send.To, send.Message);
                Notice(send.Message);
                break;
            case Effect.Publish publish:
                publisher.Publish(publish.Message);
                Notice(publish.Message);
                break;
            case Effect.Train train:
                tasks.Start(train.Id, cancelled => trainer.TrainAsync(train, cancelled));
                break;
            case Effect.CheckShards check:
                tasks.Start(check.Id, cancelled => worker.CheckShardsAsync(check, cancelled));
                break;
            case Effect.Aggregate aggregate:
                tasks.Start(aggregate.Id, cancelled => worker.AggregateAsync(aggregate, cancelled));
                break;
            case Effect.ApplyAggregate apply:
                tasks.Start(apply.Id, cancelled => worker.ApplyAsync(apply, cancelled));
                break;
            case Effect.FetchBase fetch:
                tasks.Start(fetch.Id, cancelled => worker.FetchBaseAsync(fetch, cancelled));
                break;
            case Effect.FetchBody fetch:
                tasks.Start(fetch.Id, cancelled => AskAsync(
                    fetch.Providers, TapestryProtocols.Body, fetch.Body.ToArray(), Limits.MessageBytes, fetch.IsAnsweredBy, cancelled));
                break;
            case Effect.FetchRound fetch:
                tasks.Start(fetch.Id, cancelled => AskAsync(
                    fetch.Providers, TapestryProtocols.Round, Answers.RoundQuestion(fetch.Round), RoundRecord.BytesMaximum, _ => true, cancelled));
                break;
            case Effect.Cancel cancel:
                tasks.Cancel(cancel.Id);
                break;
            case Effect.SetTimer set:
                timers.Set(set.Timer, set.AtMonotonicMs);
                break;
            case Effect.Report report:
                board.Count(report.Member, report.Fault);
                DaemonLog.MemberFault(logger, board.NameOf(report.Member), report.Fault);
                break;
            case Effect.RoundEnded ended:
                EndRound(ended.Summary);
                break;
            case Effect.Forget forget:
                timers.Forget(forget.Round);
                worker.Forget(forget.Round, forget.Keep);
                break;
            case Effect.Halt halt:
                DaemonLog.Halted(logger, halt.Reason);
                end.Fail(new CliException(
                    "halted", $"This member cannot go on: {halt.Reason}.",
                    "Keep a copy of the data folder for a diagnosis, then start anew in an empty folder with the same keys.",
                    ExitCode.VerificationFailed));
                break;
            default:
                throw new ArgumentException($"There is nobody for an effect of type {effect.GetType().Name}.", nameof(effect));
        }
    }

    /// <inheritdoc/>
    public void Show(PartnerStatus status) => board.Partner = status;

    private async Task<EffectOutcome> AskAsync(
        Sequence<MemberId> providers, string protocol, byte[] question, int bytesMax, Predicate<ByteString> isAnswer,
        CancellationToken cancelled)
    {
        ByteString? answer = await questions.AskAsync(providers, protocol, question, bytesMax, isAnswer, cancelled);
        return answer is null ? new EffectOutcome.Failed(EffectFault.Unavailable, null) : new EffectOutcome.Fetched(answer);
    }

    private void EndRound(RoundSummary round)
    {
        board.Ended(round);
        checkpoints.Write(round.TreeSize, round.TreeRoot);
        if (round.IsVoid)
        {
            DaemonLog.RoundVoid(logger, round.Round, round.Views, round.ElapsedMs);
        }
        else
        {
            DaemonLog.RoundEnded(
                logger, round.Round, round.Base.ToShortString(), round.Included.Count, round.Views, round.TreeSize, round.ElapsedMs);
        }
    }

    /// <summary>What the demo and people want to know of our own words.</summary>
    private void Notice(PeerMessage message)
    {
        if (message is PeerMessage.Signed { Statement: SignedStatement statement } && statement.Author == self.Id)
        {
            switch (statement.Statement)
            {
                case Statement.Manifest:
                    board.Contributed(statement.Instance.Round);
                    break;
                case Statement.Propose:
                    board.Led(statement.Instance.Round);
                    break;
                default:
                    break;
            }
        }
    }
}
