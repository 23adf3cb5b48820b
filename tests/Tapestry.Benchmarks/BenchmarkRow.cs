namespace Tapestry.Benchmarks;

/// <summary>One measured figure, ours beside the peer's: medians over the runs.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Unit">The unit of <paramref name="Ours"/> and <paramref name="Peer"/>.</param>
/// <param name="Ours">Our figure.</param>
/// <param name="Peer">The peer's figure.</param>
/// <param name="PeerName">Who the peer is.</param>
/// <param name="Ratio">Above 1 means ours is better, whichever way the unit counts.</param>
/// <param name="Goal">The least ratio that we promise.</param>
/// <param name="Met">Whether the ratio reaches the goal.</param>
/// <param name="Runs">Runs of each side.</param>
/// <param name="Skipped">Why it was not measured here; null when it was.</param>
internal sealed record BenchmarkRow(
    string Name, string Unit, double Ours, double Peer, string PeerName, double Ratio, double Goal, bool Met, int Runs, string? Skipped = null)
{
    /// <summary>What this machine cannot measure, and why.</summary>
    internal static BenchmarkRow NotRun(string name, string unit, string peerName, double goal, string why) =>
        new(name, unit, 0, 0, peerName, 0, goal, Met: false, Runs: 0, why);

    /// <summary>A figure that is better when it is larger, such as a rate.</summary>
    internal static BenchmarkRow MoreIsBetter(string name, string unit, IEnumerable<double> ours, IEnumerable<double> peer, string peerName, double goal) =>
        Make(name, unit, Median(ours), Median(peer), peerName, goal, Median(ours) / Median(peer), ours.Count());

    /// <summary>A figure that is better when it is smaller, such as a time or memory.</summary>
    internal static BenchmarkRow LessIsBetter(string name, string unit, IEnumerable<double> ours, IEnumerable<double> peer, string peerName, double goal) =>
        Make(name, unit, Median(ours), Median(peer), peerName, goal, Median(peer) / Median(ours), ours.Count());

    /// <summary>A figure that stands alone: no peer, nothing promised.</summary>
    internal static BenchmarkRow Reported(string name, string unit, IEnumerable<double> ours) =>
        new(name, unit, Median(ours), 0, "", 0, 0, true, ours.Count());

    /// <summary>The middle value, or the mean of the two in the middle.</summary>
    internal static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static BenchmarkRow Make(string name, string unit, double ours, double peer, string peerName, double goal, double ratio, int runs) =>
        new(name, unit, ours, peer, peerName, ratio, goal, ratio >= goal, runs);
}
