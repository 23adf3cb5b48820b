using FluentAssertions;
using Tapestry.Training.Models;
using Tapestry.Training.Optimization;
using Xunit;

namespace Tapestry.Training.Tests.Rules;

public sealed class CheckpointTests : IDisposable
{
    private static readonly ModelConfig Small = TinyModel.Tied with { Vocabulary = 3, Width = 2, Layers = 1, Heads = 1, KeyValueHeads = 1, FeedForward = 1 };

    private readonly TemporaryFolder _folder = new();

    private string File => Path.Combine(_folder.Path, "a.checkpoint");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read()
    {
        Checkpoint written = Write();
        Checkpoint read = Checkpoint.Read(File);

        read.Header.Should().Be(written.Header);
        read.Parameters.ToArray().Should().Equal(written.Parameters.ToArray());
        read.Mean.ToArray().Should().Equal(written.Mean.ToArray());
        read.Square.ToArray().Should().Equal(written.Square.ToArray());
        Directory.GetFiles(_folder.Path).Should().Equal(File);
    }

    [Fact]
    public void Every_cut_and_every_added_byte_is_refused()
    {
        _ = Write();
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        for (int length = 0; length < bytes.Length; length++)
        {
            System.IO.File.WriteAllBytes(File, bytes[..length]);
            FluentActions.Invoking(() => Checkpoint.Read(File)).Should().Throw<InputFileException>($"{length} of {bytes.Length} bytes");
        }

        System.IO.File.WriteAllBytes(File, [.. bytes, 0]);
        FluentActions.Invoking(() => Checkpoint.Read(File)).Should().Throw<InputFileException>();
    }

    [Fact]
    public void Every_altered_byte_is_refused()
    {
        _ = Write();
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 0x10;
            System.IO.File.WriteAllBytes(File, bytes);
            FluentActions.Invoking(() => Checkpoint.Read(File)).Should().Throw<InputFileException>($"byte {i} was altered").WithMessage("*a.checkpoint*");
            bytes[i] ^= 0x10;
        }
    }

    [Fact]
    public void A_missing_file_is_named() =>
        FluentActions.Invoking(() => Checkpoint.Read(File)).Should().Throw<InputFileException>().WithMessage("*no such checkpoint*");

    private Checkpoint Write()
    {
        int count = (int)new ParameterLayout(Small).Count;
        Checkpoint checkpoint = new(
            new CheckpointHeader(Small, 12, 11, 96), Numbers(count, 1), Numbers(count, 2), Numbers(count, 3));
        checkpoint.Write(File);
        return checkpoint;
    }

    private static float[] Numbers(int count, float first) => [.. Enumerable.Range(0, count).Select(i => first + (i / 64f))];
}
