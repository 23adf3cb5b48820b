using Tapestry.Training.Models;

namespace Tapestry.Training.Tests;

/// <summary>The model once more, in double precision, one token and one number at a time: slow and obvious.</summary>
internal sealed class ReferenceLlama(ModelConfig config, float[] parameters)
{
    private readonly ParameterLayout _layout = new(config);

    /// <summary>The logits after each token.</summary>
    internal double[][] Forward(long[] tokens)
    {
        double[][] x = [.. tokens.Select(token => Row("model.embed_tokens.weight", token))];
        for (int layer = 0; layer < config.Layers; layer++)
        {
            double[][] attended = Attention(layer, [.. x.Select(row => Norm(row, In(layer, "input_layernorm")))]);
            x = [.. x.Zip(attended, Add)];
            double[][] fed = [.. x.Select(row => FeedForward(layer, Norm(row, In(layer, "post_attention_layernorm"))))];
            x = [.. x.Zip(fed, Add)];
        }

        string output = config.TiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
        return [.. x.Select(row => Multiply(output, Norm(row, "model.norm.weight")))];
    }

    /// <summary>Mean negative log-likelihood of each token's successor.</summary>
    internal double Loss(long[] tokens)
    {
        double[][] logits = Forward(tokens[..^1]);
        double nats = 0;
        for (int t = 0; t < logits.Length; t++)
        {
            nats += Math.Log(logits[t].Sum(Math.Exp)) - logits[t][tokens[t + 1]];
        }

        return nats / logits.Length;
    }

    private double[][] Attention(int layer, double[][] x)
    {
        int width = config.HeadWidth;
        int group = config.Heads / config.KeyValueHeads;
        double[][] q = [.. x.Select(row => Multiply(In(layer, "self_attn.q_proj"), row))];
        double[][] k = [.. x.Select(row => Multiply(In(layer, "self_attn.k_proj"), row))];
        double[][] v = [.. x.Select(row => Multiply(In(layer, "self_attn.v_proj"), row))];
        double[][] result = new double[x.Length][];
        for (int t = 0; t < x.Length; t++)
        {
            double[] heads = new double[config.Width];
            for (int head = 0; head < config.Heads; head++)
            {
                int keyHead = head / group;
                double[] query = Rotate(q[t][(head * width)..((head + 1) * width)], t);
                double[] weights = [.. Enumerable.Range(0, t + 1).Select(s =>
                    Math.Exp(Dot(query, Rotate(k[s][(keyHead * width)..((keyHead + 1) * width)], s)) / Math.Sqrt(width)))];
                double sum = weights.Sum();
                for (int s = 0; s <= t; s++)
                {
                    for (int i = 0; i < width; i++)
                    {
                        heads[(head * width) + i] += weights[s] / sum * v[s][(keyHead * width) + i];
                    }
                }
            }

            result[t] = Multiply(In(layer, "self_attn.o_proj"), heads);
        }

        return result;
    }

    // rotate_half: the pair of i is i + w/2.
    private double[] Rotate(double[] x, int position)
    {
        int half = x.Length / 2;
        double[] turned = new double[x.Length];
        for (int i = 0; i < half; i++)
        {
            double angle = position / Math.Pow(config.RopeTheta, 2.0 * i / x.Length);
            turned[i] = (x[i] * Math.Cos(angle)) - (x[i + half] * Math.Sin(angle));
            turned[i + half] = (x[i + half] * Math.Cos(angle)) + (x[i] * Math.Sin(angle));
        }

        return turned;
    }

    private double[] FeedForward(int layer, double[] x)
    {
        double[] gate = Multiply(In(layer, "mlp.gate_proj"), x);
        double[] up = Multiply(In(layer, "mlp.up_proj"), x);
        return Multiply(In(layer, "mlp.down_proj"), [.. gate.Zip(up, (g, u) => g / (1 + Math.Exp(-g)) * u)]);
    }

    private double[] Norm(double[] x, string gain)
    {
        double root = Math.Sqrt(Dot(x, x) / x.Length + config.NormEpsilon);
        double[] gains = Row(gain, 0);
        return [.. x.Select((value, i) => value / root * gains[i])];
    }

    private double[] Multiply(string matrix, double[] x) =>
        [.. Enumerable.Range(0, (int)_layout[matrix].Rows).Select(row => Dot(Row(matrix, row), x))];

    private double[] Row(string name, long row)
    {
        ParameterTensor tensor = _layout[name];
        long length = tensor.Columns == 0 ? tensor.Rows : tensor.Columns;
        return [.. parameters.Skip((int)(tensor.Offset + (row * length))).Take((int)length).Select(value => (double)value)];
    }

    private static string In(int layer, string module) => ParameterLayout.InLayer(layer, module);

    private static double[] Add(double[] left, double[] right) => [.. left.Zip(right, (a, b) => a + b)];

    private static double Dot(double[] left, double[] right) => left.Zip(right, (a, b) => a * b).Sum();
}
