using System.CommandLine;
using System.Globalization;
using Tapestry.Cli;
using Tapestry.Libp2p;

namespace Tapestry.Node.Peer;

/// <summary><c>tapestry peer ping</c>: round trips to a peer.</summary>
internal static class PeerPing
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        PeerDial dial = new();
        Option<int> count = new("--count") { Description = "How many round trips, at least 1.", DefaultValueFactory = _ => 5 };
        count.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError("--count is at least 1.");
            }
        });
        Command command = new("ping", "Measure round trips to a peer.") { count };
        dial.AddTo(command);
        return app.Does(command, (arguments, terminal, stopping) => dial.RunAsync(
            arguments,
            (host, connection, connecting) => PingAsync(host, connection, connecting, arguments.GetValue(count), terminal, stopping),
            stopping));
    }

    private static async Task<VerbResult> PingAsync(
        Libp2pHost host, PeerConnection connection, TimeSpan connecting, int count, Terminal terminal, CancellationToken stopping)
    {
        List<double> roundTrips = [];
        for (int i = 0; i < count; i++)
        {
            TimeSpan roundTrip = await host.PingAsync(connection.Remote, stopping);
            roundTrips.Add(roundTrip.TotalMilliseconds);
            terminal.Say(string.Create(CultureInfo.InvariantCulture, $"round trip {i + 1}: {roundTrip.TotalMilliseconds:F2} ms"));
        }

        Pinged result = new(connection.Remote.ToString(), connecting.TotalMilliseconds, roundTrips);
        return VerbResult.Line(result, string.Create(
            CultureInfo.InvariantCulture,
            $"{result.PeerId}: connected in {result.ConnectMs:F1} ms; round trip {roundTrips.Min():F2} ms at best, {roundTrips.Max():F2} ms at worst"));
    }

    private sealed record Pinged(string PeerId, double ConnectMs, IReadOnlyList<double> RoundTripMs);
}
