using System.Diagnostics;
using Tapestry.Node.Demo;
using Tapestry.Training.Models;
using Tapestry.Training.Optimization;
using Tapestry.Training.Text;

namespace Tapestry.Benchmarks.Federation;

/// <summary>The demonstration's learning without its network: four partners in one process, exact averaging, no codec.</summary>
/// <remarks>Answers what the settings give, before daemons spend time on it. Figures in bits per byte of held-out articles,
/// each language counting alike.</remarks>
internal sealed class FederationExperiment : IDisposable
{
    private readonly FederationSettings _settings;
    private readonly Corpus[] _corpora;
    private readonly float[] _initial;

    internal FederationExperiment(FederationSettings settings)
    {
        _settings = settings;
        _corpora = [.. Enumerable.Range(0, DemoCorpora.Partners).Select(partner =>
            Corpus.Open([.. DemoCorpora.OwnedBy(partner).Select(DemoCorpora.PathOf)], DemoSettings.Corpus))];
        ParameterLayout layout = new(DemoSettings.Model);
        _initial = new float[layout.Count];
        InitialBase.Generate(layout, settings.Seed, _initial);
    }

    public void Dispose()
    {
        foreach (Corpus corpus in _corpora)
        {
            corpus.Dispose();
        }
    }

    /// <summary>Trains everything and reports one line for each kind of model.</summary>
    internal FederationResult Run(Action<string> report)
    {
        float[] model = (float[])_initial.Clone();
        double[] untrained = Measure(model);
        long started = Stopwatch.GetTimestamp();
        double[] trained = Federate(model, report);
        TimeSpan federation = Stopwatch.GetElapsedTime(started);
        report($"base {trained.Average():F3} after {federation.TotalSeconds:F0} s");

        int partners = DemoCorpora.Partners;
        double[][] derivatives = [.. Enumerable.Range(0, partners).Select(partner =>
            Train(partner, (float[])model.Clone(), _settings.Derivative(partner), _settings.DerivativeSteps))];
        int steps = _settings.Rounds * _settings.StepsPerRound;
        List<double[]> alone = [];
        List<double[]> alonePlus = [];
        for (int partner = 0; partner < (_settings.Alone ? partners : 0); partner++)
        {
            float[] own = (float[])_initial.Clone();
            alone.Add(Train(partner, own, _settings.Trainer(partner), steps));
            alonePlus.Add(Train(partner, own, _settings.Derivative(partner), _settings.DerivativeSteps));
        }

        return new FederationResult(untrained, trained, [.. alone], [.. alonePlus], derivatives, Stopwatch.GetElapsedTime(started));
    }

    // DiLoCo: m = mu m + mean(base - local); base -= rate (mean + mu m).
    private double[] Federate(float[] model, Action<string> report)
    {
        Trainer[] trainers = [.. _corpora.Select((corpus, partner) => new Trainer(DemoSettings.Model, _settings.Trainer(partner), corpus))];
        float[] momentum = new float[model.Length];
        float[] local = new float[model.Length];
        float[] mean = new float[model.Length];
        for (int round = 0; round < _settings.Rounds; round++)
        {
            Array.Clear(mean);
            foreach (Trainer trainer in trainers)
            {
                trainer.Load(model);
                _ = trainer.TrainSteps(_settings.StepsPerRound, progress: null, CancellationToken.None);
                trainer.Store(local);
                for (int i = 0; i < mean.Length; i++)
                {
                    mean[i] += (model[i] - local[i]) / trainers.Length;
                }
            }

            for (int i = 0; i < model.Length; i++)
            {
                momentum[i] = (float)((_settings.OuterMomentum * momentum[i]) + mean[i]);
                model[i] -= (float)(_settings.OuterLearningRate * (mean[i] + (_settings.OuterMomentum * momentum[i])));
            }

            if (round % 8 == 7)
            {
                report($"round {round + 1}: {Measure(model).Average():F3}");
            }
        }

        foreach (Trainer trainer in trainers)
        {
            trainer.Dispose();
        }

        return Measure(model);
    }

    // Trains the model in place and measures it.
    private double[] Train(int partner, float[] model, TrainerOptions options, int steps)
    {
        using Trainer trainer = new(DemoSettings.Model, options, _corpora[partner]);
        trainer.Load(model);
        _ = trainer.TrainSteps(steps, progress: null, CancellationToken.None);
        trainer.Store(model);
        return Measure(trainer.Model);
    }

    private double[] Measure(float[] parameters)
    {
        using Trainer trainer = new(DemoSettings.Model, _settings.Trainer(0), _corpora[0]);
        trainer.Load(parameters);
        return Measure(trainer.Model);
    }

    // Bits per byte by language, in the table's order.
    private double[] Measure(LlamaModel model) =>
        [.. DemoCorpora.Languages.Select(language =>
        {
            TokenStream text = _corpora[language.Owner].HeldOut.Single(stream => stream.Path == DemoCorpora.PathOf(language));
            return HeldOutLoss.Measure(model, text, CancellationToken.None).BitsPerByte;
        })];
}
