using FluentAssertions;
using Tapestry.Training.Models;
using Tapestry.Training.Optimization;
using Tapestry.Training.Runs;
using Tapestry.Training.Text;
using Xunit;
using static Tapestry.Torch.torch;

namespace Tapestry.Training.Tests.Scenarios;

[Collection(TorchCollection.Name)]
public sealed class GeneratorTests : IDisposable
{
    private static readonly GeneratorOptions Greedy = new() { Temperature = 0, TokensMax = 40 };

    private readonly TemporaryFolder _folder = new();
    private readonly LlamaModel _model = new(TinyModel.Tied, CPU);

    public GeneratorTests() => _model.Flat.CopyFrom(0, TinyModel.Generate(TinyModel.Tied, 2));

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void A_model_that_learned_one_sentence_writes_it_beyond_its_context()
    {
        using Corpus corpus = Corpus.Open([_folder.Write("a.txt", "abcdefgh abcdefgh abcdefgh abcdefgh")], new CorpusOptions { HeldOutFraction = 0 });
        TrainerOptions options = new() { Threads = 1, BatchSequences = 8, AdamW = new AdamWOptions { LearningRate = 2e-2 }, Schedule = new() { WarmupSteps = 5 } };
        using Trainer trainer = new(TinyModel.Tied, options, corpus);
        trainer.Load(TinyModel.Generate(TinyModel.Tied, 2));
        _ = trainer.TrainSteps(150, null, CancellationToken.None);
        using Generator generator = new(trainer.Model);

        generator.Generate("abc", Greedy with { StopAtEndOfText = false }, CancellationToken.None)
            .Should().StartWith("defgh abcdefgh abcdefgh").And.HaveLength(40);
        generator.Generate("abc", Greedy with { Stop = "h a" }, CancellationToken.None).Should().Be("defg");
        generator.Generate("", Greedy, CancellationToken.None).Should().StartWith("abcdefgh");
    }

    [Fact]
    public void A_seed_gives_the_same_text_again_and_another_seed_another()
    {
        using Generator generator = new(_model);
        string Write(long seed) => generator.Generate("x", new GeneratorOptions { Seed = seed, Temperature = 2, TokensMax = 60 }, CancellationToken.None);

        Write(1).Should().Be(Write(1)).And.NotBe(Write(2));
    }

    [Fact]
    public void A_long_prompt_and_a_long_text_never_overflow_the_context()
    {
        using Generator generator = new(_model);
        for (int length = 0; length < 30; length++)
        {
            generator.Tokens(new string('a', length), Greedy with { StopAtEndOfText = false, TokensMax = 30 }, CancellationToken.None).Should().HaveCount(30);
        }
    }

    [Fact]
    public void One_candidate_is_the_likeliest_whatever_the_temperature()
    {
        using Generator generator = new(_model);

        generator.Tokens("x", Greedy with { Temperature = 5, TopK = 1 }, CancellationToken.None)
            .Should().Equal(generator.Tokens("x", Greedy, CancellationToken.None));
    }

    [Fact]
    public void Cancelling_and_bad_options_end_the_work()
    {
        using Generator generator = new(_model);

        FluentActions.Invoking(() => generator.Generate("x", Greedy, new CancellationToken(canceled: true))).Should().Throw<OperationCanceledException>();
        FluentActions.Invoking(() => generator.Generate("x", Greedy with { Temperature = -1 }, CancellationToken.None)).Should().Throw<ArgumentException>().WithMessage("*Temperature is -1*");
        FluentActions.Invoking(() => generator.Generate("x", Greedy with { TokensMax = 0 }, CancellationToken.None)).Should().Throw<ArgumentException>().WithMessage("*TokensMax is 0*");
    }
}
