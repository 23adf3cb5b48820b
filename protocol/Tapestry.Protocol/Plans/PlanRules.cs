using System.Numerics;

namespace Tapestry.Protocol.Plans;

/// <summary>What makes a plan one that a network can run: every range, and how keys must fit each other.</summary>
/// <remarks>specs/30-rounds.md, section 1.</remarks>
public static class PlanRules
{
    /// <summary>Bytes of the smallest chunk: below it, proofs and requests outweigh what they carry.</summary>
    public const int MinimumChunkBytes = 64 * 1024;

    /// <summary>Bytes of the largest chunk: what a receiver buffers before it can check anything.</summary>
    public const int MaximumChunkBytes = 1024 * 1024;

    // A slice of the largest plan has 2^28 elements: its FP32 bytes fit one span.
    private const long MaximumParameters = 1L << 36;

    private const long MaximumSliceElements = MaximumParameters / Limits.Slices;

    // Together with the rounds and the members: no sum of weights leaves 63 bits, and those of a round are exact as doubles.
    private const long MaximumTokens = 1L << 40;
    internal const int MaximumRounds = 1_000_000;
    private const int MaximumDayMs = 7 * 24 * 3600 * 1000;

    /// <summary>Everything that is wrong, in the order of the plan's keys; empty for a good plan.</summary>
    public static Sequence<PlanProblem> Validate(Plan plan)
    {
        ProblemList problems = new();
        Check(problems, plan);
        return problems.ToSequence();
    }

    private static void Check(ProblemList problems, Plan plan)
    {
        problems.Name("name", plan.Name, "Give the plan a short name.");
        CheckModel(problems, plan.Model);
        problems.Range("parameterCount", plan.ParameterCount, 1, MaximumParameters, "parameters", "Take the count that the trainer reports for this shape.");
        CheckInner(problems, plan.Inner);
        problems.Positive("outer.learningRate", plan.Outer.LearningRate, 10, "DiLoCo uses 0.7; 1 with momentum 0 is plain averaging.");
        problems.Decay("outer.momentum", plan.Outer.Momentum, "DiLoCo uses 0.9; short runs do better with 0 to 0.6.");
        CheckExchange(problems, plan);
        CheckInfluence(problems, plan.Influence);
        CheckTiming(problems, plan.Timing);
        problems.Range("rounds", plan.Rounds, 1, MaximumRounds, "rounds", "Say how many rounds the run has.");
    }

    private static void CheckModel(ProblemList problems, ModelShape model)
    {
        problems.Range("model.vocabulary", model.Vocabulary, 2, 1 << 20, "rows", "Bytes with specials need 260.");
        problems.Range("model.width", model.Width, 1, 1 << 16, "", "The hidden size d.");
        problems.Range("model.layers", model.Layers, 1, 1024, "blocks", "At least one block.");
        problems.Range("model.heads", model.Heads, 1, 1024, "heads", "The number of query heads.");
        problems.Require(
            model.Heads >= 1 && model.Width % Math.Max(model.Heads, 1) == 0 && model.Width / Math.Max(model.Heads, 1) % 2 == 0,
            "model.heads", ProblemList.Text(model.Heads), $"a divisor of the width {model.Width} with an even quotient",
            "Rotary embeddings turn pairs: width / heads must be even.");
        problems.Require(
            model.KeyValueHeads >= 1 && model.Heads % Math.Max(model.KeyValueHeads, 1) == 0,
            "model.keyValueHeads", ProblemList.Text(model.KeyValueHeads), $"a divisor of the heads {model.Heads}",
            "Equal to the heads for plain attention, fewer for grouped queries.");
        problems.Range("model.feedForward", model.FeedForward, 1, 1 << 18, "", "About 8/3 of the width is usual.");
        problems.Range("model.contextTokens", model.ContextTokens, 2, 1 << 20, "tokens", "The longest sequence T.");
        problems.Positive("model.ropeTheta", model.RopeTheta, 1e9, "10000 is usual.");
        problems.Positive("model.normEpsilon", model.NormEpsilon, 1, "1e-5 is usual.");
        problems.Require(
            model.Tokenizer == "bytes" || Crypto.Digest.TryParse(model.Tokenizer, out _),
            "model.tokenizer", $"\"{model.Tokenizer}\"", "\"bytes\" or the SHA-256 of a tokenizer file in hexadecimal",
            "Members must hold the same tokenizer: name it by its digest.");
    }

    private static void CheckInner(ProblemList problems, InnerTraining inner)
    {
        problems.Range("inner.steps", inner.Steps, 1, 1_000_000, "steps", "H: more steps, fewer bytes a token; 30 to 500 is usual.");
        problems.Range("inner.batchSequences", inner.BatchSequences, 1, 1 << 20, "sequences", "The batch of one step.");
        problems.Positive("inner.learningRate", inner.LearningRate, 1, "1e-4 to 3e-3 is usual.");
        problems.Decay("inner.beta1", inner.Beta1, "0.9 is usual.");
        problems.Decay("inner.beta2", inner.Beta2, "0.95 to 0.999 is usual.");
        problems.Positive("inner.epsilon", inner.Epsilon, 1, "1e-8 is usual.");
        problems.Range("inner.weightDecay", inner.WeightDecay, 0, 10, "0.1 is usual; 0 for none.");
        problems.Range("inner.clipNorm", inner.ClipNorm, 0, 1e6, "1 is usual; 0 for none.");
        problems.Range("inner.warmupSteps", inner.WarmupSteps, 0, int.MaxValue, "steps", "Counted over the whole run; 0 for none.");
        problems.Require(
            inner.Schedule is "constant" or "cosine" or "wsd",
            "inner.schedule", $"\"{inner.Schedule}\"", "\"constant\", \"cosine\" or \"wsd\"", "Choose one of the three.");
        problems.Range("inner.finalRate", inner.FinalRate, 0, 1, "A fraction of the peak; 0.05 to 0.1 is usual.");
    }

    private static void CheckExchange(ProblemList problems, Plan plan)
    {
        Exchange exchange = plan.Exchange;
        problems.Require(
            Enum.IsDefined(exchange.Up), "exchange.up", ProblemList.Text((byte)exchange.Up), "Fp32 or MxInt8", "MxInt8 sends a quarter of the bytes.");
        problems.Require(
            Enum.IsDefined(exchange.Down), "exchange.down", ProblemList.Text((byte)exchange.Down), "Fp32 or MxInt8", "Fp32 loses nothing on the way down.");
        bool chunkHolds = exchange.ChunkBytes is >= MinimumChunkBytes and <= MaximumChunkBytes && BitOperations.IsPow2(exchange.ChunkBytes);
        problems.Require(
            chunkHolds, "exchange.chunkBytes", ProblemList.Text(exchange.ChunkBytes),
            $"a power of two from {MinimumChunkBytes} to {MaximumChunkBytes} bytes", "65536 suits small models, 1048576 large ones.");
        if (!chunkHolds || plan.ParameterCount is < 1 or > MaximumParameters)
        {
            return;
        }

        long chunkElements = exchange.ChunkBytes / sizeof(float);
        long chunks = (plan.ParameterCount + chunkElements - 1) / chunkElements;
        long slicesMaximum = Math.Min(chunks, Limits.Slices);
        long slicesMinimum = (plan.ParameterCount + MaximumSliceElements - 1) / MaximumSliceElements;
        problems.Range(
            "exchange.slices", exchange.Slices, slicesMinimum, slicesMaximum, "slices",
            $"The parameters fill {chunks} chunks; a slice is whole chunks.");
        bool sliceIsWhole = exchange.Slices < 1 || exchange.Slices > slicesMaximum
            || (exchange.Slices - 1) * ((chunks + exchange.Slices - 1) / exchange.Slices) < chunks;
        problems.Require(
            sliceIsWhole, "exchange.slices", ProblemList.Text(exchange.Slices), "a count that leaves no slice empty",
            $"Slices of equal size are made of {chunks} chunks; take {SlicesThatFit(chunks, exchange.Slices)}.");
    }

    // ceil(chunks / ceil(chunks / slices)): as many slices of that size as there is something to fill them with.
    private static long SlicesThatFit(long chunks, int slices)
    {
        long size = (chunks + Math.Max(slices, 1) - 1) / Math.Max(slices, 1);
        return (chunks + size - 1) / size;
    }

    private static void CheckInfluence(ProblemList problems, InfluenceRule influence)
    {
        problems.Range("influence.normMultiple", influence.NormMultiple, 1, 1000, "2 to 4 lets honest variety through and scales outliers down.");
        problems.Positive("influence.cap", influence.Cap, 1, "The largest share of one member; 1 for no cap.");
        problems.Range("influence.maximumTokens", influence.MaximumTokens, 1, MaximumTokens, "tokens", "Tokens of one round above which nobody counts more.");
        problems.Range("influence.minimumMembers", influence.MinimumMembers, 1, Limits.Members, "members", "With fewer the round is VOID.");
    }

    private static void CheckTiming(ProblemList problems, Timing timing)
    {
        problems.Range("timing.contributeMs", timing.ContributeMs, 1, MaximumDayMs, "milliseconds", "Time to train and to send shards.");
        problems.Range(
            "timing.closeMarginMs", timing.CloseMarginMs, 1, Math.Max(1, timing.ContributeMs - 1), "milliseconds",
            "Flush + delay + twice the skew, and less than timing.contributeMs.");
        problems.Require(
            timing.CloseMarginMs >= 2L * timing.SkewMs, "timing.closeMarginMs", ProblemList.Text(timing.CloseMarginMs),
            $"at least twice timing.skewMs ({timing.SkewMs})", "Raise the margin or lower the accepted skew.");
        problems.Range("timing.aggregateMs", timing.AggregateMs, 1, MaximumDayMs, "milliseconds", "Time to fetch shards and aggregate.");
        problems.Range("timing.viewMs", timing.ViewMs, 1, MaximumDayMs, "milliseconds", "About six message delays.");
        problems.Range(
            "timing.viewMaximumMs", timing.ViewMaximumMs, Math.Max(1, timing.ViewMs), MaximumDayMs, "milliseconds", "At least timing.viewMs; eight times it is usual.");
        problems.Range("timing.resendMs", timing.ResendMs, 1, MaximumDayMs, "milliseconds", "About two message delays.");
        problems.Range("timing.skewMs", timing.SkewMs, 1, MaximumDayMs, "milliseconds", "How far members' clocks may differ.");
        problems.Range("timing.takeoverMs", timing.TakeoverMs, 1, MaximumDayMs, "milliseconds", "About six message delays.");
        problems.Range("timing.keepRounds", timing.KeepRounds, 1, 1_000_000, "rounds", "How long blobs are served to those who lag.");
    }
}
