using System.CommandLine;
using Tapestry.Cli;
using Tapestry.Node.Storage;
using Tapestry.Training.Formats;

namespace Tapestry.Node.Verbs;

/// <summary><c>tapestry export</c>: a model in the files that everyone's tools read. Needs no libtorch.</summary>
internal static class ExportVerb
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        ModelOptions models = new();
        Option<string> output = new("--output") { Description = "The folder to write.", DefaultValueFactory = _ => "export" };
        Command command = new("export", "Write a model as Hugging Face Llama files: config.json, tokenizer and model.safetensors.") { output };
        models.AddTo(command);
        return app.Does(command, (arguments, _, _) =>
        {
            LoadedModel model = models.Load(arguments);
            string folder = Path.GetFullPath(arguments.GetRequiredValue(output));
            if (Path.Exists(folder))
            {
                throw new CliException("output-exists", $"{folder} exists; nothing is written over it.", "Name a new folder with --output.", ExitCode.Usage);
            }

            FileErrors.Writing(folder, () => HuggingFaceModel.Export(folder, model.Config, model.Parameters, model.Provenance));
            string[] files = [.. Directory.EnumerateFiles(folder).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];
            return Task.FromResult(VerbResult.Line(new { Folder = folder, Files = files, Parameters = model.Parameters.Length }, $"{folder}: {string.Join(", ", files)}"));
        });
    }
}
