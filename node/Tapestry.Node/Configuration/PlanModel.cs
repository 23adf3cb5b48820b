using Tapestry.Protocol.Plans;
using Tapestry.Training.Models;

namespace Tapestry.Node.Configuration;

/// <summary>The model that a plan describes, in the trainer's words. Needs no libtorch.</summary>
internal static class PlanModel
{
    /// <summary>The shape.</summary>
    public static ModelConfig Config(ModelShape shape) => new()
    {
        Vocabulary = shape.Vocabulary,
        Width = shape.Width,
        Layers = shape.Layers,
        Heads = shape.Heads,
        KeyValueHeads = shape.KeyValueHeads,
        FeedForward = shape.FeedForward,
        ContextTokens = shape.ContextTokens,
        RopeTheta = shape.RopeTheta,
        NormEpsilon = shape.NormEpsilon,
        TiedEmbeddings = shape.TiedEmbeddings,
    };

    /// <summary>Where every tensor lies in the flat vector.</summary>
    public static ParameterLayout Layout(Plan plan) => new(Config(plan.Model));

    /// <summary>The parameters of B_0, [P].</summary>
    public static float[] InitialParameters(Plan plan)
    {
        ParameterLayout layout = Layout(plan);
        float[] parameters = new float[layout.Count];
        InitialBase.Generate(layout, plan.InitialSeed, parameters);
        return parameters;
    }
}
