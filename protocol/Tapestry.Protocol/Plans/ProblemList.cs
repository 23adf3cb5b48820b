using System.Globalization;

namespace Tapestry.Protocol.Plans;

/// <summary>Collects what is wrong, key by key.</summary>
internal sealed class ProblemList
{
    private readonly List<PlanProblem> _problems = [];

    internal Sequence<PlanProblem> ToSequence() => _problems.ToSequence();

    /// <summary>Takes over the problems of a part, under the part's key.</summary>
    internal void AddUnder(string key, Sequence<PlanProblem> problems) =>
        _problems.AddRange(problems.Select(problem => problem with { Key = $"{key}.{problem.Key}" }));

    internal void Range(string key, long value, long minimum, long maximum, string unit, string hint) =>
        Require(value >= minimum && value <= maximum, key, Text(value), $"{minimum} to {maximum} {unit}".TrimEnd(), hint);

    /// <summary>Requires minimum &lt;= value &lt;= maximum; what is not a number is out of every range.</summary>
    internal void Range(string key, double value, double minimum, double maximum, string hint) =>
        Require(
            value >= minimum && value <= maximum && Encoding.Format.IsCanonical(value),
            key, Text(value), $"{Text(minimum)} to {Text(maximum)}", hint);

    /// <summary>Requires 0 &lt; value &lt;= maximum.</summary>
    internal void Positive(string key, double value, double maximum, string hint) =>
        Require(value > 0 && value <= maximum, key, Text(value), $"above 0 and at most {Text(maximum)}", hint);

    /// <summary>Requires 0 &lt;= value &lt; 1.</summary>
    internal void Decay(string key, double value, string hint) =>
        Require(value >= 0 && value < 1 && Encoding.Format.IsCanonical(value), key, Text(value), "at least 0 and below 1", hint);

    internal void Name(string key, string value, string hint) =>
        Require(
            value.Length is >= 1 and <= Limits.NameCharacters && !value.Any(char.IsControl) && !value.Any(char.IsSurrogate),
            key, $"\"{value}\"", $"1 to {Limits.NameCharacters} characters, none of them control characters or surrogates", hint);

    internal void Require(bool holds, string key, string value, string range, string hint)
    {
        if (!holds)
        {
            _problems.Add(new PlanProblem(key, value, range, hint));
        }
    }

    internal static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    internal static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
