using System.CommandLine;
using Tapestry.Cli;
using Tapestry.Node.Rounds;
using Tapestry.Torch;
using Tapestry.Training.Models;
using Tapestry.Training.Runs;

namespace Tapestry.Node.Verbs;

/// <summary><c>tapestry generate</c>: writes text with a trained model.</summary>
internal static class GenerateVerb
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        ModelOptions models = new();
        Option<string> prompt = new("--prompt") { Description = "The text to go on from.", DefaultValueFactory = _ => "" };
        Option<int> tokens = new("--tokens") { Description = "Most bytes to write.", DefaultValueFactory = _ => 200 };
        Option<double> temperature = new("--temperature") { Description = "0 always takes the likeliest byte.", DefaultValueFactory = _ => 0.8 };
        Option<long> seed = new("--seed") { Description = "Seed of the draws." };
        Command command = new("generate", "Write text with a trained model.") { prompt, tokens, temperature, seed };
        models.AddTo(command);
        return app.Does(command, (arguments, terminal, stopping) =>
        {
            LoadedModel loaded = models.Load(arguments);
            GeneratorOptions options = new()
            {
                TokensMax = arguments.GetValue(tokens),
                Temperature = arguments.GetValue(temperature),
                Seed = arguments.GetValue(seed),
            };
            string start = arguments.GetRequiredValue(prompt);
            string text = TorchErrors.Guard(() =>
            {
                RuntimeLine.Say(terminal, torch.CPU);
                using LlamaModel model = new(loaded.Config, torch.CPU);
                model.Flat.CopyFrom(0, loaded.Parameters);
                using Generator generator = new(model);
                return generator.Generate(start, options, stopping);
            });
            return Task.FromResult(new VerbResult(new { Prompt = start, Text = text }, console => console.Profile.Out.Writer.WriteLine(start + text)));
        });
    }
}
