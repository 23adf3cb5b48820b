using System.Text;
using FluentAssertions;
using Tapestry.Training.Text;
using Xunit;

namespace Tapestry.Training.Tests.Rules;

public sealed class CorpusTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Blank_lines_separate_documents_and_white_space_around_them_is_dropped()
    {
        string path = _folder.Write("a.txt", "\uFEFF\n one\nmore \r\n\r\n \t\n\ntwo\n\n\n");
        using Corpus corpus = Corpus.Open([path], new CorpusOptions { HeldOutFraction = 0 });

        Texts(corpus.Training[0]).Should().Equal(" one\nmore", "two");
        corpus.HeldOut[0].TokenCount.Should().Be(0);
    }

    [Fact]
    public void A_whole_file_can_be_one_document()
    {
        string path = _folder.Write("a.txt", "one\n\ntwo\n");
        using Corpus corpus = Corpus.Open([path], new CorpusOptions { Documents = DocumentRule.WholeFile, HeldOutFraction = 0.5 });

        Texts(corpus.Training[0]).Should().Equal("one\n\ntwo");
    }

    [Fact]
    public void A_line_of_JSON_is_a_document_with_its_escapes_undone()
    {
        string path = _folder.Write("a.jsonl", """
            {"id": 1, "text": "caf\u00e9\nau lait", "more": {"text": "no"}}

            {"text": ""}
            {"text": "två"}
            """);
        using Corpus corpus = Corpus.Open([path], new CorpusOptions { HeldOutFraction = 0 });

        Texts(corpus.Training[0]).Should().Equal("café\nau lait", "två");
        corpus.Training[0].TextBytes.Should().Be(Encoding.UTF8.GetByteCount("café\nau laittvå"));
    }

    [Fact]
    public void Held_out_documents_are_disjoint_and_the_same_in_every_translation()
    {
        string[] paths = [.. Enumerable.Range(0, 3).Select(file =>
            _folder.Write($"{file}.txt", string.Join("\n\n", Enumerable.Range(0, 31).Select(i => $"language {file} article {i}"))))];
        CorpusOptions options = new() { HeldOutFraction = 0.15, SplitSeed = 3 };
        using Corpus corpus = Corpus.Open(paths, options);
        using Corpus other = Corpus.Open(paths, options with { SplitSeed = 4 });

        corpus.HeldOut[0].Documents.Should().HaveCount(5).And.NotIntersectWith(corpus.Training[0].Documents);
        corpus.HeldOut[0].Documents.Concat(corpus.Training[0].Documents).Order().Should().Equal(Enumerable.Range(0, 31));
        corpus.HeldOut[2].Documents.Should().Equal(corpus.HeldOut[0].Documents);
        other.HeldOut[0].Documents.Should().NotEqual(corpus.HeldOut[0].Documents);
    }

    [Fact]
    public void A_window_reads_across_documents_and_round_the_end()
    {
        string path = _folder.Write("a.txt", "ab\n\ncde");
        using Corpus corpus = Corpus.Open([path], new CorpusOptions { HeldOutFraction = 0 });
        const int Begin = ByteTokenizer.BeginOfText;
        const int End = ByteTokenizer.EndOfText;
        long[] round = [Begin, 'a', 'b', End, Begin, 'c', 'd', 'e', End];

        for (int position = 0; position < round.Length; position++)
        {
            for (int length = 1; length <= 20; length++)
            {
                long[] window = new long[length];
                corpus.Training[0].Read(position, window);
                window.Should().Equal(Enumerable.Range(0, length).Select(i => round[(position + i) % round.Length]));
            }
        }
    }

    public static TheoryData<string, byte[], long, string> BadFiles => new()
    {
        { "empty.txt", [], 0, "empty" },
        { "blank.txt", " \n\t\n"u8.ToArray(), 0, "only white space" },
        { "latin1.txt", [.. "abc\n\nd"u8, 0xE9, (byte)'f'], 6, "not UTF-8" },
        { "cut.txt", [(byte)'a', 0xE2, 0x82], 1, "not UTF-8" },
        { "surrogate.txt", [(byte)'a', 0xED, 0xA0, 0x80], 1, "not UTF-8" },
        { "list.jsonl", "{\"text\":\"a\"}\n[1]\n"u8.ToArray(), 13, "not a JSON object" },
        { "none.jsonl", "{\"Text\":\"a\"}\n"u8.ToArray(), 0, "no string member" },
        { "number.jsonl", "{\"text\":3}"u8.ToArray(), 0, "no string member" },
        { "broken.jsonl", "\n{\"text\":\"a\"\n"u8.ToArray(), 1, "not valid JSON" },
        { "two.jsonl", "{\"text\":\"a\"}{\"text\":\"b\"}"u8.ToArray(), 0, "not valid JSON" },
        { "lone.jsonl", "{\"text\":\"\\ud800\"}"u8.ToArray(), 0, "not valid JSON" },
    };

    [Theory]
    [MemberData(nameof(BadFiles))]
    public void A_bad_file_is_refused_by_name_and_byte(string name, byte[] bytes, long offset, string problem)
    {
        string path = _folder.Write(name, bytes);
        string good = _folder.Write("good.txt", "fine");
        Action open = () => Corpus.Open([good, path], new CorpusOptions()).Dispose();

        InputFileException fault = open.Should().Throw<InputFileException>().Which;
        fault.Path.Should().Be(path);
        fault.ByteOffset.Should().Be(offset);
        fault.Message.Should().Contain(problem).And.Contain(name);
    }

    [Fact]
    public void Invalid_bytes_are_found_at_every_place_around_a_chunk_border()
    {
        const int Border = 1 << 20;
        for (int at = Border - 5; at < Border + 5; at++)
        {
            byte[] bytes = new byte[Border + 100];
            Array.Fill(bytes, (byte)'x');
            "日"u8.CopyTo(bytes.AsSpan(Border - 2));
            bytes[at] = 0xFF;
            string path = _folder.Write("a.txt", bytes);
            Action open = () => Corpus.Open([path], new CorpusOptions()).Dispose();
            long expected = at is Border - 1 or Border ? Border - 2 : at;

            open.Should().Throw<InputFileException>().Which.ByteOffset.Should().Be(expected);
        }
    }

    [Fact]
    public void A_missing_file_and_an_empty_list_and_a_double_are_refused()
    {
        string path = _folder.Write("a.txt", "a");

        FluentActions.Invoking(() => Corpus.Open([path + "x"], new())).Should().Throw<InputFileException>().WithMessage("*no such file*");
        FluentActions.Invoking(() => Corpus.Open([], new())).Should().Throw<ArgumentException>();
        FluentActions.Invoking(() => Corpus.Open([path, path], new())).Should().Throw<ArgumentException>().WithMessage("*twice*");
        FluentActions.Invoking(() => Corpus.Open([path], new() { HeldOutFraction = 1 })).Should().Throw<ArgumentException>();
    }

    private static string[] Texts(TokenStream stream)
    {
        long[] tokens = new long[stream.TokenCount];
        stream.Read(0, tokens);
        return ByteTokenizer.Decode([.. tokens.Select(token => token == ByteTokenizer.EndOfText ? 0L : token)])
            .Split('\0', StringSplitOptions.RemoveEmptyEntries);
    }
}
