using FluentAssertions;
using Tapestry.Training.Text;
using Xunit;

namespace Tapestry.Training.Tests.Rules;

public sealed class BatchSamplerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_sampler_set_to_a_count_goes_on_as_if_it_had_drawn_as_many()
    {
        using Corpus corpus = Open(CorpusBalance.ByBytes);
        BatchSampler whole = new(corpus, seed: 5);
        BatchSampler resumed = new(corpus, seed: 5);
        long[] skipped = new long[6 * 9];
        long[] expected = new long[4 * 9];
        long[] actual = new long[4 * 9];

        whole.Fill(6, skipped);
        whole.Fill(4, expected);
        resumed.Drawn = 6;
        resumed.Fill(4, actual);

        actual.Should().Equal(expected);
        resumed.Drawn.Should().Be(whole.Drawn).And.Be(10);
    }

    [Fact]
    public void Balance_decides_how_often_a_short_file_is_seen()
    {
        using Corpus byBytes = Open(CorpusBalance.ByBytes);
        using Corpus byFile = Open(CorpusBalance.ByFile);

        ShareOfFirstFile(byBytes).Should().BeApproximately(0.05, 0.02);
        ShareOfFirstFile(byFile).Should().BeApproximately(0.5, 0.05);
    }

    [Fact]
    public void Seeds_draw_differently()
    {
        using Corpus corpus = Open(CorpusBalance.ByBytes);
        long[] one = new long[100];
        long[] two = new long[100];
        new BatchSampler(corpus, 1).Fill(10, one);
        new BatchSampler(corpus, 2).Fill(10, two);

        one.Should().NotEqual(two);
    }

    private static double ShareOfFirstFile(Corpus corpus)
    {
        long[] tokens = new long[2000];
        new BatchSampler(corpus, 1).Fill(2000, tokens);
        int first = tokens.Count(token => token == 'a');
        int second = tokens.Count(token => token == 'b');
        return (double)first / (first + second);
    }

    private Corpus Open(CorpusBalance balance) => Corpus.Open(
        [_folder.Write("a.txt", new string('a', 50)), _folder.Write("b.txt", new string('b', 1000))],
        new CorpusOptions { Balance = balance, HeldOutFraction = 0 });
}
