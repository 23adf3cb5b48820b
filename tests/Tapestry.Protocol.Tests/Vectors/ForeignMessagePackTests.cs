using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using FluentAssertions;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Tests.Vectors;

/// <summary>Another language's library reads what we write, and writes the same bytes: specs/10-wire.md, section 1.</summary>
public sealed class ForeignMessagePackTests
{
    private static readonly long[] EdgeIntegers =
        [.. new[] { 0L, 1, 31, 32, 33, 127, 128, 129, 255, 256, 32767, 32768, 32769, 65535, 65536, int.MaxValue, 1L << 31, uint.MaxValue, 1L << 32, 1L << 53, long.MaxValue }
            .SelectMany(static value => new[] { value, -value, -value - 1 })];

    private static readonly int[] EdgeLengths = [0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536];

    [MessagePackFact]
    public void Every_message_value_and_genesis_is_what_the_library_writes()
    {
        List<string> lines = [];
        for (int seed = 0; seed < 30; seed++)
        {
            Samples samples = new(seed);
            lines.AddRange(samples.Messages().Select(static message => Line(message.Encode().Span)));
            lines.AddRange(samples.Values().Select(static value => Line(value.Encode().Span)));
            lines.Add(Line(samples.Genesis().Encode().Span));
        }

        Ask(lines);
    }

    [MessagePackFact]
    public void Edges_of_every_form_are_what_the_library_writes()
    {
        List<string> lines = [];
        lines.AddRange(EdgeIntegers.Select(static value => Line(MessagePackTree.Integer(value), writer => writer.WriteInteger(value))));
        lines.AddRange(EdgeLengths.Select(static length => Line(MessagePackTree.Binary(new byte[length]), writer => writer.WriteBinary(new byte[length]))));
        lines.AddRange(EdgeLengths.Select(static length => Line(MessagePackTree.Text(new string('t', length)), writer => writer.WriteString(new string('t', length)))));
        lines.AddRange(EdgeLengths.Select(static length => Line(
            new JsonArray([.. Enumerable.Range(0, length).Select(static _ => MessagePackTree.Boolean(true))]),
            writer =>
            {
                writer.WriteArray(length);
                for (int index = 0; index < length; index++)
                {
                    writer.WriteBoolean(true);
                }
            })));
        foreach (double value in (double[])[0, 1, -1, 0.1, 1e300, double.Epsilon, double.MaxValue, double.MinValue, 1 << 24, 0.5])
        {
            lines.Add(Line(MessagePackTree.Float(value), writer => writer.WriteDouble(value)));
        }

        lines.Add(Line(MessagePackTree.Text("Ünïcödé ☕ 漢字 𝄞"), static writer => writer.WriteString("Ünïcödé ☕ 漢字 𝄞")));
        Ask(lines);
    }

    private static string Line(ReadOnlySpan<byte> bytes) => Line(MessagePackTree.Of(bytes), bytes);

    private static string Line(JsonNode tree, Action<CanonicalWriter> write)
    {
        ArrayBufferWriter<byte> output = new();
        write(new CanonicalWriter(output));
        return Line(tree, output.WrittenSpan);
    }

    private static string Line(JsonNode tree, ReadOnlySpan<byte> bytes) =>
        new JsonObject { ["hex"] = Convert.ToHexStringLower(bytes), ["tree"] = tree }.ToJsonString();

    private static void Ask(List<string> lines)
    {
        using Process node = Process.Start(new ProcessStartInfo(MessagePackFactAttribute.Node, [Path.Combine(MessagePackFactAttribute.Folder, "msgpack.mjs")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        })!;
        foreach (string line in lines)
        {
            node.StandardInput.WriteLine(line);
        }

        node.StandardInput.Close();
        string answer = node.StandardOutput.ReadToEnd().Trim();
        node.WaitForExit();
        answer.Should().Be($"{lines.Count} held");
    }
}
