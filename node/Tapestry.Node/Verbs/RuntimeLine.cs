using Tapestry.Cli;
using Tapestry.Torch;

namespace Tapestry.Node.Verbs;

/// <summary>The line in which a verb that computes says with what, and how fast that is.</summary>
internal static class RuntimeLine
{
    /// <summary>Measures and says it; the threads have to be set.</summary>
    /// <param name="terminal">Where.</param>
    /// <param name="device">What will compute.</param>
    public static void Say(Terminal terminal, Device device)
    {
        RuntimeReport report = torch.report(device);
        terminal.Say(report.Warning.Length == 0 ? report.Line : $"{report.Line}; warning: {report.Warning}");
    }
}
