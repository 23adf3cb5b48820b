using FluentAssertions;
using Tapestry.Node.Demo;
using Tapestry.Training.Text;
using Xunit;

namespace Tapestry.Node.Tests.Rules;

public sealed class DemoCorporaTests
{
    [Fact]
    public void Every_partner_owns_one_language_of_every_family()
    {
        DemoCorpora.Languages.Should().HaveCount(20);
        DemoCorpora.Languages.Select(language => (language.Family, language.Owner)).Should().OnlyHaveUniqueItems();
        DemoCorpora.Languages.Select(language => language.Owner).Should().OnlyContain(owner => owner >= 0 && owner < DemoCorpora.Partners);
        DemoCorpora.Languages.Select(language => language.Family).Distinct().Should().HaveCount(5);
        DemoCorpora.Languages.Select(language => language.Script).Distinct().Should().HaveCount(6);
    }

    [Fact]
    public void Every_text_has_thirty_articles_and_the_same_ones_are_held_out_everywhere()
    {
        string[] paths = [.. DemoCorpora.Languages.Select(DemoCorpora.PathOf)];
        using Corpus corpus = Corpus.Open(paths, DemoSettings.Corpus);
        IReadOnlyList<int> heldOut = corpus.HeldOut[0].Documents;

        heldOut.Should().HaveCount(5).And.OnlyContain(document => document < 30, "document 30 is the preamble, which Amharic lacks");
        foreach ((TokenStream training, TokenStream measured) in corpus.Training.Zip(corpus.HeldOut))
        {
            (training.Documents.Count + measured.Documents.Count).Should().BeInRange(30, 31, training.Path);
            measured.Documents.Should().Equal(heldOut, measured.Path);
        }
    }
}
