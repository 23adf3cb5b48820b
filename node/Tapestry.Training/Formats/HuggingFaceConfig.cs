using System.Text.Json;
using Tapestry.Training.Models;
using Tapestry.Training.Text;

namespace Tapestry.Training.Formats;

/// <summary>The config.json of a Hugging Face Llama model, in the spelling that old and new readers take.</summary>
internal static class HuggingFaceConfig
{
    internal const string FileName = "config.json";

    /// <summary>Writes the file's bytes.</summary>
    internal static byte[] Write(ModelConfig config)
    {
        using MemoryStream json = new();
        using (Utf8JsonWriter writer = new(json, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("architectures");
            writer.WriteStringValue("LlamaForCausalLM");
            writer.WriteEndArray();
            writer.WriteBoolean("attention_bias", false);
            writer.WriteNumber("attention_dropout", 0.0);
            writer.WriteNumber("bos_token_id", ByteTokenizer.BeginOfText);
            writer.WriteNumber("eos_token_id", ByteTokenizer.EndOfText);
            writer.WriteNumber("pad_token_id", ByteTokenizer.Padding);
            writer.WriteString("hidden_act", "silu");
            writer.WriteNumber("hidden_size", config.Width);
            writer.WriteNumber("initializer_range", InitialBase.StandardDeviation);
            writer.WriteNumber("intermediate_size", config.FeedForward);
            writer.WriteNumber("max_position_embeddings", config.ContextTokens);
            writer.WriteBoolean("mlp_bias", false);
            writer.WriteString("model_type", "llama");
            writer.WriteNumber("num_attention_heads", config.Heads);
            writer.WriteNumber("num_hidden_layers", config.Layers);
            writer.WriteNumber("num_key_value_heads", config.KeyValueHeads);
            writer.WriteNumber("pretraining_tp", 1);
            writer.WriteNumber("rms_norm_eps", config.NormEpsilon);
            writer.WriteNull("rope_scaling");
            writer.WriteNumber("rope_theta", config.RopeTheta);
            writer.WriteBoolean("tie_word_embeddings", config.TiedEmbeddings);
            writer.WriteString("torch_dtype", "float32");
            writer.WriteBoolean("use_cache", true);
            writer.WriteNumber("vocab_size", config.Vocabulary);
            writer.WriteEndObject();
        }

        return json.ToArray();
    }

    /// <summary>Reads a file; what this decoder cannot compute is refused rather than ignored.</summary>
    /// <exception cref="InputFileException">Not JSON, a field is missing or out of range, or a feature is not supported.</exception>
    internal static ModelConfig Read(string path)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
            JsonElement root = document.RootElement;
            Refuse(path, root, "model_type", value => value.ValueKind != JsonValueKind.String || value.GetString() != "llama");
            Refuse(path, root, "hidden_act", value => value.GetString() != "silu");
            Refuse(path, root, "attention_bias", value => value.GetBoolean());
            Refuse(path, root, "mlp_bias", value => value.GetBoolean());
            Refuse(path, root, "rope_scaling", value => value.ValueKind != JsonValueKind.Null);
            int heads = root.GetProperty("num_attention_heads"u8).GetInt32();
            ModelConfig config = new()
            {
                Vocabulary = root.GetProperty("vocab_size"u8).GetInt32(),
                Width = root.GetProperty("hidden_size"u8).GetInt32(),
                Layers = root.GetProperty("num_hidden_layers"u8).GetInt32(),
                Heads = heads,
                KeyValueHeads = Optional(root, "num_key_value_heads")?.GetInt32() ?? heads,
                FeedForward = root.GetProperty("intermediate_size"u8).GetInt32(),
                ContextTokens = root.GetProperty("max_position_embeddings"u8).GetInt32(),
                RopeTheta = Optional(root, "rope_theta")?.GetDouble() ?? 10_000,
                NormEpsilon = Optional(root, "rms_norm_eps")?.GetDouble() ?? 1e-6,
                TiedEmbeddings = Optional(root, "tie_word_embeddings")?.GetBoolean() ?? false,
            };
            config.Validate();
            Refuse(path, root, "head_dim", value => value.ValueKind != JsonValueKind.Null && value.GetInt32() != config.HeadWidth);
            return config;
        }
        catch (Exception fault) when (fault is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InputFileException(path, -1, $"not the config.json of a Llama model ({fault.Message})");
        }
    }

    private static JsonElement? Optional(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static void Refuse(string path, JsonElement root, string name, Predicate<JsonElement> unsupported)
    {
        if (root.TryGetProperty(name, out JsonElement value) && unsupported(value))
        {
            throw new InputFileException(path, -1, $"\"{name}\" is {value.GetRawText()}, which this decoder cannot compute.");
        }
    }
}
