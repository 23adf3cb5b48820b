using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Tapestry.Training.Models;

namespace Tapestry.Training.Formats;

/// <summary>A model as a folder that other tools read: Hugging Face's Llama format.</summary>
/// <remarks>specs/60-training.md, section 10.</remarks>
public static class HuggingFaceModel
{
    private const string WeightsFileName = "model.safetensors";
    private const string IndexFileName = "model.safetensors.index.json";

    /// <summary>Writes a folder.</summary>
    /// <param name="folder">Must not exist; appears whole or not at all.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="parameters">The flat vector, [P].</param>
    /// <param name="provenance">Text by key for the weights' metadata: where the model comes from. May be empty; not "format".</param>
    /// <exception cref="ArgumentException">The folder exists, or the vector does not fit the shape.</exception>
    public static void Export(
        string folder, ModelConfig config, ReadOnlyMemory<float> parameters, IReadOnlyDictionary<string, string> provenance)
    {
        ParameterLayout layout = new(config);
        if (parameters.Length != layout.Count)
        {
            throw new ArgumentException($"The model has {layout.Count} parameters, the vector {parameters.Length}.", nameof(parameters));
        }

        if (Directory.Exists(folder) || File.Exists(folder))
        {
            throw new ArgumentException($"{folder} exists. Name a new folder.", nameof(folder));
        }

        string temporary = folder + ".tmp";
        if (Directory.Exists(temporary))
        {
            Directory.Delete(temporary, recursive: true); // Left by a run that was ended.
        }

        _ = Directory.CreateDirectory(temporary);
        WriteWeights(Path.Combine(temporary, WeightsFileName), layout, parameters, provenance);
        File.WriteAllBytes(Path.Combine(temporary, HuggingFaceConfig.FileName), HuggingFaceConfig.Write(config));
        File.WriteAllBytes(Path.Combine(temporary, HuggingFaceTokenizer.FileName), HuggingFaceTokenizer.Write());
        File.WriteAllBytes(Path.Combine(temporary, HuggingFaceTokenizer.ConfigFileName), HuggingFaceTokenizer.WriteConfig(config.ContextTokens));
        File.WriteAllText(Path.Combine(temporary, "README.md"), Readme(config, layout, provenance));
        Directory.Move(temporary, folder);
    }

    /// <summary>Reads a folder: ours, or any Llama model in one safetensors file that this decoder can compute.</summary>
    /// <returns>The shape, and the flat vector in our order.</returns>
    /// <exception cref="InputFileException">A file is missing, broken, or asks for what this decoder cannot do.</exception>
    public static (ModelConfig Config, float[] Parameters) Import(string folder)
    {
        string configPath = Path.Combine(folder, HuggingFaceConfig.FileName);
        string weightsPath = Path.Combine(folder, WeightsFileName);
        RequireFile(configPath, "it must be the folder of a Hugging Face Llama model.");
        RequireFile(weightsPath, File.Exists(Path.Combine(folder, IndexFileName))
            ? "the weights are in several files. Merge them into one first."
            : "it must be the folder of a Hugging Face Llama model with safetensors weights.");

        ModelConfig config = HuggingFaceConfig.Read(configPath);
        ParameterLayout layout = new(config);
        float[] parameters = new float[layout.Count];
        using SafetensorsFile file = SafetensorsFile.Open(weightsPath);
        Dictionary<string, SafetensorsEntry> entries = file.Header.Entries.ToDictionary(entry => entry.Name, StringComparer.Ordinal);
        foreach (ParameterTensor tensor in layout.Tensors)
        {
            if (!entries.Remove(tensor.Name, out SafetensorsEntry? entry) || !entry.Shape.AsSpan().SequenceEqual(tensor.Shape()))
            {
                throw new InputFileException(weightsPath, -1,
                    $"\"{tensor.Name}\" should have the shape [{string.Join(", ", tensor.Shape())}], "
                    + $"and {(entry is null ? "is missing" : $"has [{string.Join(", ", entry.Shape)}]")}.");
            }

            file.Read(entry, parameters.AsSpan((int)tensor.Offset, (int)tensor.Count));
        }

        // A tied model may repeat its output projection; anything else left over would be silently ignored weights.
        if (entries.Keys.FirstOrDefault(name => !(config.TiedEmbeddings && name == "lm_head.weight")) is string extra)
        {
            throw new InputFileException(weightsPath, -1, $"\"{extra}\" belongs to no part of this decoder.");
        }

        return (config, parameters);
    }

    private static void WriteWeights(
        string path, ParameterLayout layout, ReadOnlyMemory<float> parameters, IReadOnlyDictionary<string, string> provenance)
    {
        SortedDictionary<string, string> metadata = new(StringComparer.Ordinal) { ["format"] = "pt" };
        foreach ((string key, string value) in provenance)
        {
            metadata.Add(key, value);
        }

        IEnumerable<SafetensorsTensor> tensors = layout.Tensors.Select(tensor => new SafetensorsTensor(
            tensor.Name, SafetensorsType.F32, tensor.Shape(),
            file => file.Write(MemoryMarshal.AsBytes(parameters.Span.Slice((int)tensor.Offset, (int)tensor.Count)))));
        using FileStream output = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        SafetensorsWriter.Write(output, tensors, metadata);
        output.Flush(flushToDisk: true);
    }

    private static string Readme(ModelConfig config, ParameterLayout layout, IReadOnlyDictionary<string, string> provenance)
    {
        StringBuilder text = new();
        _ = text.AppendLine(CultureInfo.InvariantCulture, $"""
            # A byte-level Llama model of {layout.Count} parameters

            Written by Tapestry.P2P. `model.safetensors`, `config.json`: Hugging Face's Llama format (rotary pairs i and i + w/2).

            Tokens are bytes: token b (0 to 255) is byte b of UTF-8 text; 256 opens a document, 257 closes it, 258 is padding,
            259 is unused. `tokenizer.json` says the same to other tools. The context is {config.ContextTokens} tokens.
            """);
        foreach ((string key, string value) in provenance.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            _ = text.AppendLine(CultureInfo.InvariantCulture, $"\n{key}: {value}");
        }

        return text.ToString();
    }

    private static void RequireFile(string path, string problem)
    {
        if (!File.Exists(path))
        {
            throw new InputFileException(path, -1, "there is no such file: " + problem);
        }
    }
}
