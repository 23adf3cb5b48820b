using System.Globalization;
using Tapestry.Node.Demo;

namespace Tapestry.Benchmarks.Federation;

/// <summary>Bits per byte by language, of every model of an experiment.</summary>
/// <param name="Untrained">The initial base.</param>
/// <param name="Base">The final base.</param>
/// <param name="Alone">Each partner's model trained alone.</param>
/// <param name="AlonePlus">The same, trained on as the derivatives are.</param>
/// <param name="Derivatives">Each partner's derivative of the final base.</param>
/// <param name="Elapsed">Time of everything.</param>
internal sealed record FederationResult(
    double[] Untrained, double[] Base, double[][] Alone, double[][] AlonePlus, double[][] Derivatives, TimeSpan Elapsed)
{
    internal string ToText()
    {
        List<string> lines = [Row("", "untrained", "base", "alone own", "alone oth.", "alone+ own", "deriv. own", "deriv. oth.")];
        for (int i = 0; i < DemoCorpora.Languages.Length; i++)
        {
            DemoLanguage language = DemoCorpora.Languages[i];
            int index = i;
            lines.Add(Row($"{language.Name} ({language.Owner})", Untrained[i], Base[i],
                Own(Alone, index), Others(Alone, index), Own(AlonePlus, index), Own(Derivatives, index), Others(Derivatives, index)));
        }

        int[] all = [.. Enumerable.Range(0, DemoCorpora.Languages.Length)];
        lines.Add(Row("mean", Untrained.Average(), Base.Average(), all.Average(i => Own(Alone, i)), all.Average(i => Others(Alone, i)), all.Average(i => Own(AlonePlus, i)),
            all.Average(i => Own(Derivatives, i)), all.Average(i => Others(Derivatives, i))));
        lines.Add("over all languages: base " + Number(Base.Average())
            + "; alone " + string.Join(" ", Alone.Select(model => Number(model.Average())))
            + "; derivatives " + string.Join(" ", Derivatives.Select(model => Number(model.Average()))));
        lines.Add("derivative / alone on own languages, by partner: " + string.Join(" ", Alone.Select((_, partner) =>
            Number(OwnMean(Derivatives, partner) / OwnMean(Alone, partner)))));
        lines.Add("derivative / alone+ on own languages, by partner: " + string.Join(" ", AlonePlus.Select((_, partner) =>
            Number(OwnMean(Derivatives, partner) / OwnMean(AlonePlus, partner)))));
        lines.Add($"{Elapsed.TotalSeconds:F0} s");
        return string.Join('\n', lines);
    }

    private static double OwnMean(double[][] models, int partner) =>
        Enumerable.Range(0, DemoCorpora.Languages.Length).Where(i => DemoCorpora.Languages[i].Owner == partner).Average(i => models[partner][i]);

    private static double Own(double[][] models, int language) =>
        models.Length == 0 ? double.NaN : models[DemoCorpora.Languages[language].Owner][language];

    private static double Others(double[][] models, int language) =>
        models.Length == 0 ? double.NaN : models.Where((_, partner) => partner != DemoCorpora.Languages[language].Owner).Average(model => model[language]);

    private static string Row(string name, params object[] cells) =>
        $"{name,-16}" + string.Concat(cells.Select(cell => $"{(cell is double number ? Number(number) : cell),12}"));

    private static string Number(double value) => value.ToString("F3", CultureInfo.InvariantCulture);
}
