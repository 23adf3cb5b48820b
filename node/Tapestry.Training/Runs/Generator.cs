using System.Text;
using Tapestry.Torch;
using Tapestry.Training.Models;
using Tapestry.Training.Text;
using static Tapestry.Torch.torch;

namespace Tapestry.Training.Runs;

/// <summary>Writes text with a model, token by token.</summary>
/// <remarks>Not for several threads at once. The model is the caller's and must outlive it.</remarks>
public sealed class Generator : IDisposable
{
    private readonly LlamaModel _model;
    private readonly KeyValueCache _cache;

    /// <summary>A generator for a model of bytes.</summary>
    /// <exception cref="ArgumentException">The model has another vocabulary.</exception>
    public Generator(LlamaModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        Options.Require(model.Config.Vocabulary == ByteTokenizer.Vocabulary, nameof(model.Config.Vocabulary), model.Config.Vocabulary,
            $"{ByteTokenizer.Vocabulary}, since text is written as bytes");
        _model = model;
        _cache = new KeyValueCache(model.Config, model.Flat.Device);
    }

    /// <summary>The text that follows <paramref name="prompt"/>; bytes that are not UTF-8 are shown as U+FFFD.</summary>
    public string Generate(string prompt, GeneratorOptions options, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<long> text = [];
        byte[]? stop = options.Stop is null ? null : Encoding.UTF8.GetBytes(options.Stop);
        foreach (long token in Tokens(prompt, options, stopping))
        {
            text.Add(token);
            if (stop is not null && EndsWith(text, stop))
            {
                text.RemoveRange(text.Count - stop.Length, stop.Length);
                break;
            }
        }

        return ByteTokenizer.Decode([.. text]);
    }

    /// <summary>The bytes that follow <paramref name="prompt"/>, one after the other as they are drawn.</summary>
    /// <param name="prompt">May be empty: then a document is begun.</param>
    /// <param name="options">How to draw; <see cref="GeneratorOptions.Stop"/> is not looked at here.</param>
    /// <param name="stopping">Ends the work between two tokens.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public IEnumerable<long> Tokens(string prompt, GeneratorOptions options, CancellationToken stopping)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        return Draw([ByteTokenizer.BeginOfText, .. ByteTokenizer.Encode(prompt)], options, stopping);
    }

    /// <summary>Frees the remembered keys and values.</summary>
    public void Dispose() => _cache.Dispose();

    private IEnumerable<long> Draw(List<long> tokens, GeneratorOptions options, CancellationToken stopping)
    {
        TokenDraw draw = new(options);
        _cache.Clear();
        int fresh = tokens.Count; // Tokens at the end that the model has not seen.
        for (int i = 0; i < options.TokensMax; i++)
        {
            stopping.ThrowIfCancellationRequested();
            if (_cache.Count + fresh > _cache.Capacity)
            {
                // The context is full: go on from its second half, so that this happens once in T / 2 tokens.
                _cache.Clear();
                fresh = Math.Min(tokens.Count, (_cache.Capacity / 2) + 1);
            }

            long next = draw.Next(Logits([.. tokens[^fresh..]]));
            if (next == ByteTokenizer.EndOfText)
            {
                yield break;
            }

            tokens.Add(next);
            fresh = 1;
            yield return next;
        }
    }

    // The logits after the last of some new tokens, [V].
    private float[] Logits(long[] tokens)
    {
        using IDisposable inference = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor input = tensor(tokens, [1, tokens.Length], device: _model.Flat.Device); // [1, T']
        Tensor logits = _model.Forward(input, _cache);                                 // [1, T', V]
        return logits.narrow(1, tokens.Length - 1, 1).reshape(-1).to(CPU).ToArray<float>();
    }

    private static bool EndsWith(List<long> text, byte[] stop)
    {
        if (text.Count < stop.Length)
        {
            return false;
        }

        for (int i = 0; i < stop.Length; i++)
        {
            if (text[text.Count - stop.Length + i] != stop[i])
            {
                return false;
            }
        }

        return true;
    }
}
