using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Training.Text;
using Xunit;

namespace Tapestry.Training.Tests.Rules;

public sealed class ByteTokenizerTests
{
    [Fact]
    public void Decoding_what_was_encoded_gives_the_text() =>
        Prop.ForAll<NonNull<string>>(text =>
        {
            // Lone surrogates have no UTF-8; everything else comes back.
            string valid = new([.. text.Get.Where(letter => !char.IsSurrogate(letter))]);
            return ByteTokenizer.Decode(ByteTokenizer.Encode(valid)) == valid;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Specials_are_not_text_and_broken_bytes_are_shown_as_such()
    {
        long[] tokens = [ByteTokenizer.BeginOfText, 'a', 0xC3, 'b', ByteTokenizer.EndOfText, ByteTokenizer.Padding, 259];

        ByteTokenizer.Decode(tokens).Should().Be("a\uFFFDb");
    }
}
