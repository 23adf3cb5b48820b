using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Crypto;
using Tapestry.Protocol.Ledger;
using Xunit;

namespace Tapestry.Protocol.Tests.Vectors;

/// <summary>C2SP signed-note (https://c2sp.org/signed-note), its examples, and what it forbids.</summary>
public sealed class SignedNoteTests
{
    private const string ExampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    private const string ExampleNote =
        "This is an example message.\n\n"
        + "\u2014 example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    /// <summary>Section "Example".</summary>
    [Fact]
    public void The_key_of_the_specification_verifies_its_note()
    {
        NoteKey.TryParse(ExampleKey, out NoteKey? key).Should().BeTrue();
        key!.Name.Should().Be("example.com/foo");
        key.Id.Should().Be(0x530d903a);
        key.ToString().Should().Be(ExampleKey);

        SignedNote note = Parse(ExampleNote);
        note.Text.Should().Be("This is an example message.\n");
        note.ToString().Should().Be(ExampleNote);
        note.TryVerify([key], out Sequence<NoteKey> signers).Should().BeTrue();
        signers.Should().Equal(key);
    }

    /// <summary>The note that opens the specification: its text has an empty line and letters beyond ASCII.</summary>
    [Fact]
    public void Text_may_hold_empty_lines_and_any_language()
    {
        string whole = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
            + "\u2014 quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
        SignedNote note = Parse(whole);
        note.Text.Should().EndWith("\n\ned è subito sera.\n");
        note.Signatures.Should().ContainSingle().Which.KeyId.Should().Be(0x367ba04b);
        note.ToString().Should().Be(whole);
    }

    [Fact]
    public void Signing_verifying_and_adding_signatures_go_round()
    {
        using SigningKey first = SigningKey.FromSeed(new byte[32]);
        using SigningKey second = SigningKey.FromSeed(Enumerable.Repeat((byte)1, 32).ToArray());
        SignedNote note = SignedNote.Sign("text\n", "one", first).With(NoteSignature.Sign("text\n", "two", second));
        NoteKey one = new("one", first.PublicKey);
        NoteKey two = new("two", second.PublicKey);

        SignedNote read = Parse(note.ToString());
        read.Should().Be(note);
        read.TryVerify([two, one], out Sequence<NoteKey> signers).Should().BeTrue();
        signers.Should().Equal(two, one);
        read.TryVerify([new NoteKey("two", first.PublicKey)], out _).Should().BeFalse("same name, other key: unknown");
        read.TryVerify([], out _).Should().BeFalse("nobody is trusted");
    }

    [Fact]
    public void A_failing_signature_of_a_known_key_spoils_the_note()
    {
        using SigningKey key = SigningKey.FromSeed(new byte[32]);
        NoteKey known = new("one", key.PublicKey);
        SignedNote good = SignedNote.Sign("text\n", "one", key);
        SignedNote spoilt = good.With(NoteSignature.Sign("other text\n", "one", key));
        good.TryVerify([known], out _).Should().BeTrue();
        spoilt.TryVerify([known], out _).Should().BeFalse();
    }

    public static TheoryData<string> Malformed { get; } = new(
        "",
        "\n",
        "text",
        "text\n",
        "text\n\n",
        ExampleNote[..^1],
        ExampleNote + "\n",
        ExampleNote + "trailing\n",
        ExampleNote.Replace("\n\n", "\n", StringComparison.Ordinal),
        ExampleNote.Replace("\u2014", "-", StringComparison.Ordinal),
        ExampleNote.Replace("\u2014 ", "\u2014", StringComparison.Ordinal),
        ExampleNote.Replace("example.com/foo ", " ", StringComparison.Ordinal),
        ExampleNote.Replace("example.com/foo", "example.com+foo", StringComparison.Ordinal),
        ExampleNote.Replace("example.com/foo", "example.com\u00a0foo", StringComparison.Ordinal),
        ExampleNote.Replace("message", "mess\tage", StringComparison.Ordinal),
        ExampleNote.Replace("message", "mess\rage", StringComparison.Ordinal),
        ExampleNote.Replace("message", "mess\0age", StringComparison.Ordinal),
        ExampleNote.Replace("aQM=", "aQN=", StringComparison.Ordinal),
        ExampleNote.Replace("aQM=", "aQM", StringComparison.Ordinal),
        ExampleNote.Replace("Uw2QOkn8", "Uw2Q Okn8", StringComparison.Ordinal),
        "text\n\n\u2014 name Uw2QOg==\n");

    [Theory]
    [MemberData(nameof(Malformed))]
    public void A_malformed_note_is_refused(string whole) => SignedNote.TryParse(System.Text.Encoding.UTF8.GetBytes(whole), out _).Should().BeFalse();

    [Fact]
    public void Bytes_that_are_no_utf8_too_many_lines_and_too_many_bytes_are_refused()
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(ExampleNote);
        bytes[3] = 0xff;
        SignedNote.TryParse(bytes, out _).Should().BeFalse();

        string line = ExampleNote[ExampleNote.IndexOf('\u2014', StringComparison.Ordinal)..];
        string most = ExampleNote + string.Concat(Enumerable.Repeat(line, SignedNote.SignaturesMax - 1));
        SignedNote.TryParse(System.Text.Encoding.UTF8.GetBytes(most), out _).Should().BeTrue();
        SignedNote.TryParse(System.Text.Encoding.UTF8.GetBytes(most + line), out _).Should().BeFalse();
        SignedNote.TryParse(System.Text.Encoding.UTF8.GetBytes(new string('a', SignedNote.BytesMax) + ExampleNote), out _).Should().BeFalse();
    }

    [Fact]
    public void Every_cut_and_every_changed_byte_loses_the_signature()
    {
        NoteKey.TryParse(ExampleKey, out NoteKey? key).Should().BeTrue();
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(ExampleNote);
        for (int i = 0; i < bytes.Length; i++)
        {
            IsVerified(bytes.AsSpan(0, i), key!).Should().BeFalse();
            byte[] changed = [.. bytes];
            changed[i] ^= 1;
            IsVerified(changed, key!).Should().BeFalse("byte {0} was changed", i);
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("example.com/foo")]
    [InlineData("example.com/foo+530d903a")]
    [InlineData("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    [InlineData("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k=")]
    [InlineData("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")]
    public void A_malformed_verifier_key_is_refused(string? text) => NoteKey.TryParse(text, out _).Should().BeFalse();

    [Fact]
    public void Any_bytes_are_read_or_refused_and_what_is_read_is_written_again_the_same() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            byte[] note = [.. "text\n\n\u2014 a "u8, .. bytes, (byte)'\n'];
            return !SignedNote.TryParse(note, out SignedNote? read) || read.ToArray().SequenceEqual(note);
        }).QuickCheckThrowOnFailure();

    private static bool IsVerified(ReadOnlySpan<byte> bytes, NoteKey key) =>
        SignedNote.TryParse(bytes, out SignedNote? note) && note.TryVerify([key], out _);

    private static SignedNote Parse(string whole)
    {
        SignedNote.TryParse(System.Text.Encoding.UTF8.GetBytes(whole), out SignedNote? note).Should().BeTrue();
        return note!;
    }
}
