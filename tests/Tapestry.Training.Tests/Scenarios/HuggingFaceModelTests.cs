using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using FluentAssertions;
using Tapestry.Torch;
using Tapestry.Training.Formats;
using Tapestry.Training.Models;
using Tapestry.Training.Text;
using Xunit;
using static Tapestry.Torch.torch;

namespace Tapestry.Training.Tests.Scenarios;

[Collection(TorchCollection.Name)]
public sealed class HuggingFaceModelTests : IDisposable
{
    private static readonly Dictionary<string, string> Provenance = new() { ["tapestry.base"] = "abc", ["license"] = "CC0-1.0" };

    private readonly TemporaryFolder _folder = new();

    private string Target => Path.Combine(_folder.Path, "model");

    public void Dispose() => _folder.Dispose();

    [PythonTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Another_reader_finds_the_same_tensors_and_computes_the_same_logits(bool tied)
    {
        const string Prompt = "Où — 日?";
        ModelConfig config = (tied ? TinyModel.Tied : TinyModel.Untied) with { ContextTokens = 32 };
        float[] parameters = Large(config);
        HuggingFaceModel.Export(Target, config, parameters, Provenance);

        using JsonDocument answer = JsonDocument.Parse(ForeignPython.Run("llama_reader.py", Target, Prompt));
        JsonElement root = answer.RootElement;
        ParameterLayout layout = new(config);
        root.GetProperty("tensors").EnumerateObject().Should().HaveCount(layout.Tensors.Length);
        foreach (ParameterTensor tensor in layout.Tensors)
        {
            JsonElement seen = root.GetProperty("tensors").GetProperty(tensor.Name);
            seen.GetProperty("shape").EnumerateArray().Select(dimension => dimension.GetInt64()).Should().Equal(tensor.Shape());
            ReadOnlySpan<float> values = parameters.AsSpan((int)tensor.Offset, (int)tensor.Count);
            seen.GetProperty("sha256").GetString().Should().Be(Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(values))));
        }

        long[] tokens = [ByteTokenizer.BeginOfText, .. ByteTokenizer.Encode(Prompt)];
        root.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt64()).Should().Equal(tokens);
        double[] theirs = [.. root.GetProperty("logits").EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(value => value.GetDouble())];
        using LlamaModel model = new(config, CPU);
        model.Flat.CopyFrom(0, parameters);
        using DisposeScope scope = NewDisposeScope();
        float[] ours = model.forward(tensor(tokens, [1, tokens.Length])).ToArray<float>();

        theirs.Max(Math.Abs).Should().BeGreaterThan(0.5, "otherwise the comparison proves little");
        ours.Zip(theirs, (a, b) => Math.Abs(a - b)).Max().Should().BeLessThan(2e-5);
    }

    [Fact]
    public void What_was_exported_is_imported_and_the_same_model_gives_the_same_bytes()
    {
        float[] parameters = Large(TinyModel.Untied);
        HuggingFaceModel.Export(Target, TinyModel.Untied, parameters, Provenance);
        HuggingFaceModel.Export(Target + "2", TinyModel.Untied, parameters, Provenance);
        (ModelConfig config, float[] read) = HuggingFaceModel.Import(Target);

        config.Should().Be(TinyModel.Untied);
        read.Should().Equal(parameters);
        foreach (string file in Directory.GetFiles(Target))
        {
            File.ReadAllBytes(file).Should().Equal(File.ReadAllBytes(file.Replace(Target, Target + "2", StringComparison.Ordinal)));
        }

        using SafetensorsFile weights = SafetensorsFile.Open(Path.Combine(Target, "model.safetensors"));
        weights.Header.Metadata["tapestry.base"].Should().Be("abc");
        File.ReadAllText(Path.Combine(Target, "README.md")).Should().Contain("license: CC0-1.0");
    }

    [Fact]
    public void An_existing_folder_and_a_vector_that_does_not_fit_are_refused()
    {
        _ = Directory.CreateDirectory(Target);
        float[] parameters = Large(TinyModel.Tied);

        FluentActions.Invoking(() => HuggingFaceModel.Export(Target, TinyModel.Tied, parameters, Provenance)).Should().Throw<ArgumentException>().WithMessage("*exists*");
        FluentActions.Invoking(() => HuggingFaceModel.Export(Target + "2", TinyModel.Tied, parameters.AsMemory(1), Provenance)).Should().Throw<ArgumentException>();
        Directory.Exists(Target + "2").Should().BeFalse();
    }

    [Theory]
    [InlineData("\"model_type\": \"llama\"", "\"model_type\": \"mistral\"", "mistral")]
    [InlineData("\"hidden_act\": \"silu\"", "\"hidden_act\": \"gelu\"", "gelu")]
    [InlineData("\"rope_scaling\": null", "\"rope_scaling\": {\"factor\": 8}", "rope_scaling")]
    [InlineData("\"attention_bias\": false", "\"attention_bias\": true", "attention_bias")]
    [InlineData("\"hidden_size\": 16", "\"hidden_size\": 32", "shape [260, 32]")]
    [InlineData("\"hidden_size\": 16", "\"hidden_size\": 15", "Width is 15")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "is missing")]
    [InlineData("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1", "belongs to no part")]
    [InlineData("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false", "lm_head.weight")]
    [InlineData("\"vocab_size\"", "\"size\"", "not the config.json")]
    public void What_the_decoder_cannot_compute_is_refused_by_name(string from, string to, string problem)
    {
        HuggingFaceModel.Export(Target, TinyModel.Tied, Large(TinyModel.Tied), Provenance);
        string path = Path.Combine(Target, "config.json");
        string json = File.ReadAllText(path);
        json.Should().Contain(from);
        File.WriteAllText(path, json.Replace(from, to, StringComparison.Ordinal));

        FluentActions.Invoking(() => HuggingFaceModel.Import(Target)).Should().Throw<InputFileException>().WithMessage($"*{problem}*");
    }

    [Fact]
    public void A_missing_file_is_refused_by_name()
    {
        FluentActions.Invoking(() => HuggingFaceModel.Import(Target)).Should().Throw<InputFileException>().WithMessage("*config.json*");
        HuggingFaceModel.Export(Target, TinyModel.Tied, Large(TinyModel.Tied), Provenance);
        File.Move(Path.Combine(Target, "model.safetensors"), Path.Combine(Target, "model-00001-of-00002.safetensors"));
        _ = _folder.Write("model/model.safetensors.index.json", "{}");
        FluentActions.Invoking(() => HuggingFaceModel.Import(Target)).Should().Throw<InputFileException>().WithMessage("*several files*");
    }

    private static float[] Large(ModelConfig config) => [.. TinyModel.Generate(config, 5).Select(value => value == 1f ? 1f : value * 10)];
}
