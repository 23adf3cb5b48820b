using System.Text.Json;
using Tapestry.Training.Text;

namespace Tapestry.Training.Formats;

/// <summary>Tokenizer files that make other tools read bytes as we do: byte b is token b.</summary>
/// <remarks>A byte-level BPE without merges. Its vocabulary names each byte by a printable character: printable Latin-1
/// stands for itself, and the other 68 bytes take U+0100 onwards in order (the ByteLevel convention of GPT-2).</remarks>
internal static class HuggingFaceTokenizer
{
    internal const string FileName = "tokenizer.json";
    internal const string ConfigFileName = "tokenizer_config.json";

    private static readonly (int Id, string Text)[] Specials =
    [
        (ByteTokenizer.BeginOfText, "<|begin_of_text|>"),
        (ByteTokenizer.EndOfText, "<|end_of_text|>"),
        (ByteTokenizer.Padding, "<|padding|>"),
        (ByteTokenizer.Vocabulary - 1, "<|reserved|>"),
    ];

    internal static byte[] Write() => Json(writer =>
    {
        writer.WriteString("version", "1.0");
        writer.WriteNull("truncation");
        writer.WriteNull("padding");
        writer.WriteStartArray("added_tokens");
        foreach ((int id, string text) in Specials)
        {
            WriteSpecial(writer, id, text);
        }

        writer.WriteEndArray();
        writer.WriteNull("normalizer");
        WriteByteLevel(writer, "pre_tokenizer");
        WriteOpening(writer);
        WriteByteLevel(writer, "decoder");
        WriteModel(writer);
    });

    internal static byte[] WriteConfig(int contextTokens) => Json(writer =>
    {
        writer.WriteBoolean("add_bos_token", true);
        writer.WriteString("bos_token", Specials[0].Text);
        writer.WriteBoolean("clean_up_tokenization_spaces", false);
        writer.WriteString("eos_token", Specials[1].Text);
        writer.WriteNumber("model_max_length", contextTokens);
        writer.WriteString("pad_token", Specials[2].Text);
        writer.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
    });

    /// <summary>The character that stands for a byte.</summary>
    internal static char ByteCharacter(int value)
    {
        if (StandsForItself(value))
        {
            return (char)value;
        }

        int before = Enumerable.Range(0, value).Count(other => !StandsForItself(other));
        return (char)(256 + before);
    }

    private static bool StandsForItself(int value) =>
        value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);

    private static void WriteSpecial(Utf8JsonWriter writer, int id, string text)
    {
        writer.WriteStartObject();
        writer.WriteNumber("id", id);
        writer.WriteString("content", text);
        writer.WriteBoolean("single_word", false);
        writer.WriteBoolean("lstrip", false);
        writer.WriteBoolean("rstrip", false);
        writer.WriteBoolean("normalized", false);
        writer.WriteBoolean("special", true);
        writer.WriteEndObject();
    }

    private static void WriteByteLevel(Utf8JsonWriter writer, string name)
    {
        writer.WriteStartObject(name);
        writer.WriteString("type", "ByteLevel");
        writer.WriteBoolean("add_prefix_space", false);
        writer.WriteBoolean("trim_offsets", false);
        writer.WriteBoolean("use_regex", false);
        writer.WriteEndObject();
    }

    // Every text is opened by the first special, as in training.
    private static void WriteOpening(Utf8JsonWriter writer) => writer.WriteRawValueOf("post_processor", $$"""
        {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "{{Specials[0].Text}}", "type_id": 0} }, {"Sequence": {"id": "A", "type_id": 0} }],
            "pair": [{"SpecialToken": {"id": "{{Specials[0].Text}}", "type_id": 0} }, {"Sequence": {"id": "A", "type_id": 0} },
                     {"SpecialToken": {"id": "{{Specials[0].Text}}", "type_id": 1} }, {"Sequence": {"id": "B", "type_id": 1} }],
            "special_tokens": {"{{Specials[0].Text}}": {"id": "{{Specials[0].Text}}", "ids": [{{Specials[0].Id}}], "tokens": ["{{Specials[0].Text}}"]} }
          }
        """);

    private static void WriteModel(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("model");
        writer.WriteString("type", "BPE");
        writer.WriteNull("dropout");
        writer.WriteNull("unk_token");
        writer.WriteNull("continuing_subword_prefix");
        writer.WriteNull("end_of_word_suffix");
        writer.WriteBoolean("fuse_unk", false);
        writer.WriteBoolean("byte_fallback", false);
        writer.WriteStartObject("vocab");
        for (int value = 0; value < 256; value++)
        {
            writer.WriteNumber(ByteCharacter(value).ToString(), value);
        }

        writer.WriteEndObject();
        writer.WriteStartArray("merges");
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void WriteRawValueOf(this Utf8JsonWriter writer, string name, string json)
    {
        writer.WritePropertyName(name);
        writer.WriteRawValue(json);
    }

    private static byte[] Json(Action<Utf8JsonWriter> members)
    {
        using MemoryStream json = new();
        using (Utf8JsonWriter writer = new(json, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }

        return json.ToArray();
    }
}
