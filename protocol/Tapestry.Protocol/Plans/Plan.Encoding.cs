using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Encoding;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Plans;

public sealed partial record Plan
{
    private const string Domain = "tapestry/plan/v1";
    private const int FieldCount = 11;
    private const int WordBytes = 96;

    /// <summary>Names the plan: SHA-256 of its encoding. Computed at every call.</summary>
    public Digest Digest => Digest.Of(Encode().Span);

    /// <summary>The encoding that is named by its digest: an array that opens with "tapestry/plan/v1".</summary>
    /// <exception cref="ArgumentException">A number has no canonical form (not finite, or -0).</exception>
    public ByteString Encode() => Encoded.Of(this, static (writer, plan) => plan.WriteTo(writer));

    /// <summary>Reads an encoding. Form only: <see cref="PlanRules"/> says whether the plan makes sense.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Plan? plan)
    {
        plan = null;
        CanonicalReader reader = new(bytes);
        if (bytes.Length > Limits.MessageBytes || !TryRead(ref reader, out Plan? read) || !reader.IsAtEnd)
        {
            return false;
        }

        plan = read;
        return true;
    }

    internal void WriteTo(CanonicalWriter writer)
    {
        writer.WriteArray(FieldCount);
        writer.WriteString(Domain);
        writer.WriteString(Name);
        WriteModel(writer, Model);
        writer.WriteInteger(ParameterCount);
        writer.WriteInteger(InitialSeed);
        WriteInner(writer, Inner);
        writer.WriteArray(2);
        writer.WriteDouble(Outer.LearningRate);
        writer.WriteDouble(Outer.Momentum);
        WriteExchange(writer, Exchange);
        WriteInfluence(writer, Influence);
        WriteTiming(writer, Timing);
        writer.WriteInteger(Rounds);
    }

    internal static bool TryRead(ref CanonicalReader reader, [NotNullWhen(true)] out Plan? plan)
    {
        plan = null;
        if (!reader.TryReadArray(FieldCount)
            || !reader.TryReadLiteral(Domain)
            || !reader.TryReadString(0, Limits.NameBytes, out string? name)
            || !TryReadModel(ref reader, out ModelShape? model)
            || !reader.TryReadInteger(long.MinValue, long.MaxValue, out long parameterCount)
            || !reader.TryReadInteger(long.MinValue, long.MaxValue, out long initialSeed)
            || !TryReadInner(ref reader, out InnerTraining? inner)
            || !reader.TryReadArray(2)
            || !reader.TryReadDouble(out double outerRate)
            || !reader.TryReadDouble(out double outerMomentum)
            || !TryReadExchange(ref reader, out Exchange? exchange)
            || !TryReadInfluence(ref reader, out InfluenceRule? influence)
            || !TryReadTiming(ref reader, out Timing? timing)
            || !reader.TryReadInteger(long.MinValue, long.MaxValue, out long rounds))
        {
            return false;
        }

        plan = new Plan
        {
            Name = name,
            Model = model,
            ParameterCount = parameterCount,
            InitialSeed = initialSeed,
            Inner = inner,
            Outer = new OuterStep(outerRate, outerMomentum),
            Exchange = exchange,
            Influence = influence,
            Timing = timing,
            Rounds = rounds,
        };
        return true;
    }

    private static void WriteModel(CanonicalWriter writer, ModelShape model)
    {
        writer.WriteArray(11);
        writer.WriteInteger(model.Vocabulary);
        writer.WriteInteger(model.Width);
        writer.WriteInteger(model.Layers);
        writer.WriteInteger(model.Heads);
        writer.WriteInteger(model.KeyValueHeads);
        writer.WriteInteger(model.FeedForward);
        writer.WriteInteger(model.ContextTokens);
        writer.WriteDouble(model.RopeTheta);
        writer.WriteDouble(model.NormEpsilon);
        writer.WriteBoolean(model.TiedEmbeddings);
        writer.WriteString(model.Tokenizer);
    }

    private static bool TryReadModel(ref CanonicalReader reader, [NotNullWhen(true)] out ModelShape? model)
    {
        model = null;
        if (!reader.TryReadArray(11)
            || !TryReadNumber(ref reader, out int vocabulary)
            || !TryReadNumber(ref reader, out int width)
            || !TryReadNumber(ref reader, out int layers)
            || !TryReadNumber(ref reader, out int heads)
            || !TryReadNumber(ref reader, out int keyValueHeads)
            || !TryReadNumber(ref reader, out int feedForward)
            || !TryReadNumber(ref reader, out int contextTokens)
            || !reader.TryReadDouble(out double ropeTheta)
            || !reader.TryReadDouble(out double normEpsilon)
            || !reader.TryReadBoolean(out bool tiedEmbeddings)
            || !reader.TryReadString(0, WordBytes, out string? tokenizer))
        {
            return false;
        }

        model = new ModelShape(
            vocabulary, width, layers, heads, keyValueHeads, feedForward, contextTokens,
            ropeTheta, normEpsilon, tiedEmbeddings, tokenizer);
        return true;
    }

    private static void WriteInner(CanonicalWriter writer, InnerTraining inner)
    {
        writer.WriteArray(11);
        writer.WriteInteger(inner.Steps);
        writer.WriteInteger(inner.BatchSequences);
        writer.WriteDouble(inner.LearningRate);
        writer.WriteDouble(inner.Beta1);
        writer.WriteDouble(inner.Beta2);
        writer.WriteDouble(inner.Epsilon);
        writer.WriteDouble(inner.WeightDecay);
        writer.WriteDouble(inner.ClipNorm);
        writer.WriteInteger(inner.WarmupSteps);
        writer.WriteString(inner.Schedule);
        writer.WriteDouble(inner.FinalRate);
    }

    private static bool TryReadInner(ref CanonicalReader reader, [NotNullWhen(true)] out InnerTraining? inner)
    {
        inner = null;
        if (!reader.TryReadArray(11)
            || !TryReadNumber(ref reader, out int steps)
            || !TryReadNumber(ref reader, out int batchSequences)
            || !reader.TryReadDouble(out double learningRate)
            || !reader.TryReadDouble(out double beta1)
            || !reader.TryReadDouble(out double beta2)
            || !reader.TryReadDouble(out double epsilon)
            || !reader.TryReadDouble(out double weightDecay)
            || !reader.TryReadDouble(out double clipNorm)
            || !TryReadNumber(ref reader, out int warmupSteps)
            || !reader.TryReadString(0, WordBytes, out string? schedule)
            || !reader.TryReadDouble(out double finalRate))
        {
            return false;
        }

        inner = new InnerTraining(
            steps, batchSequences, learningRate, beta1, beta2, epsilon, weightDecay, clipNorm, warmupSteps, schedule, finalRate);
        return true;
    }

    private static void WriteExchange(CanonicalWriter writer, Exchange exchange)
    {
        writer.WriteArray(4);
        writer.WriteInteger((byte)exchange.Up);
        writer.WriteInteger((byte)exchange.Down);
        writer.WriteInteger(exchange.ChunkBytes);
        writer.WriteInteger(exchange.Slices);
    }

    private static bool TryReadExchange(ref CanonicalReader reader, [NotNullWhen(true)] out Exchange? exchange)
    {
        exchange = null;
        if (!reader.TryReadArray(4)
            || !reader.TryReadInteger(0, byte.MaxValue, out int up)
            || !reader.TryReadInteger(0, byte.MaxValue, out int down)
            || !TryReadNumber(ref reader, out int chunkBytes)
            || !TryReadNumber(ref reader, out int slices))
        {
            return false;
        }

        exchange = new Exchange((Codec)up, (Codec)down, chunkBytes, slices);
        return true;
    }

    private static void WriteInfluence(CanonicalWriter writer, InfluenceRule influence)
    {
        writer.WriteArray(4);
        writer.WriteDouble(influence.NormMultiple);
        writer.WriteDouble(influence.Cap);
        writer.WriteInteger(influence.MaximumTokens);
        writer.WriteInteger(influence.MinimumMembers);
    }

    private static bool TryReadInfluence(ref CanonicalReader reader, [NotNullWhen(true)] out InfluenceRule? influence)
    {
        influence = null;
        if (!reader.TryReadArray(4)
            || !reader.TryReadDouble(out double normMultiple)
            || !reader.TryReadDouble(out double cap)
            || !reader.TryReadInteger(long.MinValue, long.MaxValue, out long maximumTokens)
            || !TryReadNumber(ref reader, out int minimumMembers))
        {
            return false;
        }

        influence = new InfluenceRule(normMultiple, cap, maximumTokens, minimumMembers);
        return true;
    }

    private static void WriteTiming(CanonicalWriter writer, Timing timing)
    {
        writer.WriteArray(9);
        writer.WriteInteger(timing.ContributeMs);
        writer.WriteInteger(timing.CloseMarginMs);
        writer.WriteInteger(timing.AggregateMs);
        writer.WriteInteger(timing.ViewMs);
        writer.WriteInteger(timing.ViewMaximumMs);
        writer.WriteInteger(timing.ResendMs);
        writer.WriteInteger(timing.SkewMs);
        writer.WriteInteger(timing.TakeoverMs);
        writer.WriteInteger(timing.KeepRounds);
    }

    private static bool TryReadTiming(ref CanonicalReader reader, [NotNullWhen(true)] out Timing? timing)
    {
        timing = null;
        if (!reader.TryReadArray(9)
            || !TryReadNumber(ref reader, out int contributeMs)
            || !TryReadNumber(ref reader, out int closeMarginMs)
            || !TryReadNumber(ref reader, out int aggregateMs)
            || !TryReadNumber(ref reader, out int viewMs)
            || !TryReadNumber(ref reader, out int viewMaximumMs)
            || !TryReadNumber(ref reader, out int resendMs)
            || !TryReadNumber(ref reader, out int skewMs)
            || !TryReadNumber(ref reader, out int takeoverMs)
            || !TryReadNumber(ref reader, out int keepRounds))
        {
            return false;
        }

        timing = new Timing(
            contributeMs, closeMarginMs, aggregateMs, viewMs, viewMaximumMs, resendMs, skewMs, takeoverMs, keepRounds);
        return true;
    }

    // Form only; PlanRules names the ranges.
    private static bool TryReadNumber(ref CanonicalReader reader, out int value) =>
        reader.TryReadInteger(int.MinValue, int.MaxValue, out value);
}
