using System.CommandLine;
using System.Globalization;
using Tapestry.Cli;
using Tapestry.Libp2p;

namespace Tapestry.Node.Peer;

/// <summary><c>tapestry peer perf</c>: throughput to a peer on one stream, by <c>/perf/1.0.0</c>.</summary>
internal static class PeerPerf
{
    private const ulong MiB = 1024 * 1024;
    private const int MiBMax = 64 * 1024;

    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        PeerDial dial = new();
        Option<int> up = Mebibytes("--up-mib", "MiB to send.");
        Option<int> down = Mebibytes("--down-mib", "MiB to receive.");
        Command command = new("perf", "Measure the throughput to a peer, up and then down, on one stream.") { up, down };
        dial.AddTo(command);
        return app.Does(command, (arguments, _, stopping) => dial.RunAsync(
            arguments,
            (host, connection, connecting) => MeasureAsync(
                host, connection, connecting, (ulong)arguments.GetValue(up) * MiB, (ulong)arguments.GetValue(down) * MiB, stopping),
            stopping));
    }

    private static async Task<VerbResult> MeasureAsync(
        Libp2pHost host, PeerConnection connection, TimeSpan connecting, ulong up, ulong down, CancellationToken stopping)
    {
        PerfMeasurement measured = await host.MeasureAsync(connection.Remote, up, down, stopping);
        Measured result = new(
            connection.Remote.ToString(),
            connecting.TotalMilliseconds,
            measured.Connected.TotalMilliseconds,
            up,
            measured.Uploaded.TotalMilliseconds,
            Rate(up, measured.Uploaded),
            down,
            measured.Downloaded.TotalMilliseconds,
            Rate(down, measured.Downloaded));
        return VerbResult.Line(result, string.Create(
            CultureInfo.InvariantCulture,
            $"{result.PeerId}: connected in {result.ConnectMs:F1} ms, stream in {result.StreamMs:F1} ms; up {result.UpMBps:F0} MB/s, down {result.DownMBps:F0} MB/s"));
    }

    private static double Rate(ulong bytes, TimeSpan time) => bytes == 0 ? 0 : bytes / 1e6 / time.TotalSeconds;

    private static Option<int> Mebibytes(string name, string description)
    {
        Option<int> option = new(name) { Description = $"{description} From 0 to {MiBMax}.", DefaultValueFactory = _ => 64 };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > MiBMax)
            {
                result.AddError($"{name} is from 0 to {MiBMax}.");
            }
        });
        return option;
    }

    private sealed record Measured(
        string PeerId,
        double ConnectMs,
        double StreamMs,
        ulong UpBytes,
        double UpMs,
        double UpMBps,
        ulong DownBytes,
        double DownMs,
        double DownMBps);
}
