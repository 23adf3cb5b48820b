using System.CommandLine;
using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Ledger;
using Tapestry.Node.Rounds;
using Tapestry.Protocol.Plans;
using Tapestry.Training;
using Tapestry.Training.Formats;
using Tapestry.Training.Models;
using Tapestry.Training.Optimization;

namespace Tapestry.Node.Verbs;

/// <summary>The options that name a trained model: a checkpoint, a Hugging Face folder, or a base of a member's folder.</summary>
internal sealed class ModelOptions
{
    private readonly Option<string?> _model = new("--model")
    {
        Description = "A checkpoint that 'tapestry train' wrote, or a folder that 'tapestry export' wrote.",
    };

    private readonly Option<string> _base = new("--base")
    {
        Description = "Without --model: a base of the data folder, by its digest, or 'latest'.",
        DefaultValueFactory = _ => BaseFolder.Latest,
    };

    private readonly FolderOptions _folders = new();

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        command.Add(_model);
        command.Add(_base);
        _folders.AddTo(command);
    }

    /// <summary>The model that the command line names.</summary>
    /// <exception cref="CliException">It is not there or cannot be read.</exception>
    public LoadedModel Load(ParseResult arguments)
    {
        if (arguments.GetValue(_model) is not string path)
        {
            DataFolder folder = _folders.Folder(arguments);
            string name = arguments.GetRequiredValue(_base);
            float[] parameters = BaseFolder.ReadParameters(folder, name);
            Genesis genesis = LedgerFolder.ReadGenesis(folder.Genesis);
            Dictionary<string, string> provenance = new() { ["tapestry.network"] = genesis.Digest.ToString(), ["tapestry.base"] = name };
            return new LoadedModel(PlanModel.Config(genesis.Plan.Model), parameters, provenance);
        }

        try
        {
            if (Directory.Exists(path))
            {
                (ModelConfig config, float[] parameters) = HuggingFaceModel.Import(path);
                return new LoadedModel(config, parameters, new Dictionary<string, string>());
            }

            Checkpoint checkpoint = Checkpoint.Read(path);
            return new LoadedModel(checkpoint.Header.Model, checkpoint.Parameters.ToArray(), new Dictionary<string, string>());
        }
        catch (InputFileException error)
        {
            throw new CliException("model-malformed", error.Message, "Name a checkpoint, or a folder with config.json and model.safetensors.", ExitCode.Configuration, error);
        }
    }
}

/// <summary>A model that was read.</summary>
/// <param name="Config">Its shape.</param>
/// <param name="Parameters">Its parameters, [P].</param>
/// <param name="Provenance">Where it comes from, for the metadata of an export.</param>
internal sealed record LoadedModel(ModelConfig Config, float[] Parameters, IReadOnlyDictionary<string, string> Provenance);
