using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Rounds;
using Tapestry.Protocol.Plans;
using Tapestry.Training.Optimization;
using Tapestry.Training.Runs;
using Tapestry.Training.Text;

namespace Tapestry.Node.Demo;

/// <summary>Measures what the network was good for: its base, each partner alone, and each partner's derivative, on every language.</summary>
/// <remarks>
/// Only this process ever sees all texts, and only to measure: every training run here, as in the daemons, reads one
/// partner's own text. Held-out articles are the same numbers in every language, so none is learned from a translation.
/// </remarks>
/// <param name="network">The members, whose daemons have stopped.</param>
/// <param name="finalBase">Parameters of the shared base, [P].</param>
/// <param name="terminal">Where progress is shown.</param>
internal sealed class DemoEvaluation(DemoNetwork network, float[] finalBase, Terminal terminal)
{
    private const int SampleBytes = 64;
    private const int PromptCharacters = 24;

    private readonly Plan _plan = network.Genesis.Plan;
    private readonly MachineSettings _machine = new(Threads: 1, "cpu", UseBf16: false);

    /// <summary>Runs everything.</summary>
    public async Task<DemoFindings> RunAsync(CancellationToken stopping)
    {
        ProcessSignals.LetThreadsSleep();
        using Corpus all = CorpusFiles.Open([.. DemoCorpora.Languages.Select(DemoCorpora.PathOf)], DemoNetwork.HeldOutPercent);
        float[] initial = PlanModel.InitialParameters(_plan);
        Evaluation[] untrained;
        Evaluation[] shared;
        List<DemoSample> samples;
        using (Trainer trainer = new(PlanModel.Config(_plan.Model), PlanTrainer.Options(_plan, _machine, 0), all))
        {
            untrained = Measure(trainer, initial, all, stopping);
            shared = Measure(trainer, finalBase, all, stopping);
            samples = Sample(trainer, stopping);
        }

        Evaluation[][] alone = new Evaluation[DemoNetwork.MemberCount][];
        Evaluation[][] derivatives = new Evaluation[DemoNetwork.MemberCount][];
        int steps = checked(_plan.Inner.Steps * (int)_plan.Rounds);
        int total = DemoNetwork.MemberCount * (steps + DemoSettings.DerivativeSteps);
        await terminal.WithProgressAsync("each partner alone, and its derivative", total, async meter =>
        {
            StepCount count = new(meter);

            // One thread a run, as in the daemons, and a run for every core: steps of so small a model gain little from more.
            ParallelOptions cores = new() { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = stopping };
            await Parallel.ForAsync(0, 2 * DemoNetwork.MemberCount, cores, (run, cancelled) =>
            {
                int owner = run / 2;
                TrainerOptions options = PlanTrainer.Options(_plan, _machine, RoundTrainer.SamplingSeed(network.MemberOf(owner).Id));
                (run % 2 == 0 ? alone : derivatives)[owner] = run % 2 == 0
                    ? Train(owner, initial, steps, options, all, count, cancelled)
                    : Train(owner, finalBase, DemoSettings.DerivativeSteps, options with { Schedule = DemoSettings.DerivativeSchedule }, all, count, cancelled);
                return ValueTask.CompletedTask;
            });
            return true;
        });
        return new DemoFindings(untrained, shared, alone, derivatives, samples);
    }

    private Evaluation[] Train(
        int owner, float[] start, int steps, TrainerOptions options, Corpus all, StepCount count, CancellationToken stopping)
    {
        using Corpus own = CorpusFiles.Open(network.Corpus(owner), DemoNetwork.HeldOutPercent);
        using Trainer trainer = new(PlanModel.Config(_plan.Model), options, own);
        trainer.Load(start);
        trainer.TrainSteps(steps, count, stopping);
        return MeasureModel(trainer, all, stopping);
    }

    private static List<DemoSample> Sample(Trainer trainer, CancellationToken stopping)
    {
        using Generator generator = new(trainer.Model);
        return
        [
            .. DemoCorpora.Languages.Select(language =>
            {
                string prompt = File.ReadAllText(DemoCorpora.PathOf(language))[..PromptCharacters];
                string text = generator.Generate(prompt, new GeneratorOptions { TokensMax = SampleBytes, Temperature = 0.5 }, stopping);
                return new DemoSample(language.Name, prompt, text.ReplaceLineEndings(" "));
            }),
        ];
    }

    private static Evaluation[] Measure(Trainer trainer, float[] parameters, Corpus all, CancellationToken stopping)
    {
        trainer.Load(parameters);
        return MeasureModel(trainer, all, stopping);
    }

    private static Evaluation[] MeasureModel(Trainer trainer, Corpus all, CancellationToken stopping) =>
        [.. all.HeldOut.Select(language => HeldOutLoss.Measure(trainer.Model, language, stopping))];

    /// <summary>Steps of all runs together; told from several threads.</summary>
    private sealed class StepCount(IProgressMeter meter) : IProgress<TrainingStep>
    {
        private readonly Lock _gate = new();
        private int _done;

        public void Report(TrainingStep value)
        {
            lock (_gate)
            {
                meter.Report(++_done, "");
            }
        }
    }
}

/// <summary>Held-out evaluations, each by language in the order of <see cref="DemoCorpora.Languages"/>.</summary>
/// <param name="Untrained">Of B_0.</param>
/// <param name="Shared">Of the shared base.</param>
/// <param name="Alone">Of each partner alone.</param>
/// <param name="Derivatives">Of each partner's derivative.</param>
/// <param name="Samples">Texts that the shared base wrote.</param>
internal sealed record DemoFindings(
    Evaluation[] Untrained, Evaluation[] Shared, IReadOnlyList<Evaluation[]> Alone, IReadOnlyList<Evaluation[]> Derivatives,
    IReadOnlyList<DemoSample> Samples);
