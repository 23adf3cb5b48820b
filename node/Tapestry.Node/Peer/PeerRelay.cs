using System.CommandLine;
using System.Globalization;
using Tapestry.Cli;
using Tapestry.Libp2p;

namespace Tapestry.Node.Peer;

/// <summary><c>tapestry peer relay</c>: relays for others, or is reached through a relay.</summary>
internal static class PeerRelay
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        PeerHost shared = new();
        Argument<string[]> relays = new("relay")
        {
            Description = "Relays to reserve at, such as /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…. None: be a relay.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Command command = new("relay", "Be a relay for peers that nobody can dial; or reserve at one and be reached through it.") { relays };
        shared.AddTo(command, listens: true);
        return app.Does(command, (arguments, terminal, stopping) =>
        {
            List<Multiaddr> wanted = [.. (arguments.GetValue(relays) ?? []).Select(PeerHost.ParsePeer)];
            IReadOnlyList<Multiaddr> listen = shared.ListenAddresses(arguments);
            return shared.RunAsync(
                arguments,
                options => options with { ListenAddresses = listen, AnswersPerf = true },
                (host, _) => wanted.Count == 0
                    ? ServeAsync(host, terminal, () => shared.EndAsync(arguments, stopping))
                    : ReserveAsync(host, wanted, terminal, () => shared.EndAsync(arguments, stopping), stopping));
        });
    }

    private static async Task<VerbResult> ServeAsync(Libp2pHost host, Terminal terminal, Func<Task> endAsync)
    {
        int circuits = 0;
        await using CircuitRelay relay = new(host, new CircuitRelayOptions { Serves = true });
        relay.CircuitEnded += (source, target, end) =>
        {
            Interlocked.Increment(ref circuits);
            terminal.Say($"carried       {source} to {target}: {end}");
        };
        PeerHost.Start(host, terminal);
        await endAsync();
        List<string> reserved = [.. relay.Reserved.Select(peer => peer.ToString())];
        return VerbResult.Line(
            new Served(host.PeerId.ToString(), AddressesOf(host), reserved, circuits),
            $"{reserved.Count} reservations, {circuits} connections carried");
    }

    private static async Task<VerbResult> ReserveAsync(
        Libp2pHost host, IReadOnlyList<Multiaddr> relays, Terminal terminal, Func<Task> endAsync, CancellationToken stopping)
    {
        int connections = 0;
        host.ConnectionOpened += connection => Interlocked.Add(ref connections, connection.IsRelayed ? 1 : 0);
        await using CircuitRelay relay = new(host, new CircuitRelayOptions());
        PeerHost.Start(host, terminal);
        List<Reserved> reservations = [];
        foreach (Multiaddr address in relays)
        {
            RelayReservation reservation = await relay.ReserveAsync(address, stopping);
            reservations.Add(new Reserved(
                reservation.Relay.ToString(), reservation.Expires, [.. reservation.Addresses.Select(one => one.ToString())],
                reservation.Limit?.Duration?.TotalSeconds, reservation.Limit?.Bytes, reservation.Voucher is not null));
            foreach (Multiaddr reached in reservation.Addresses)
            {
                terminal.Say($"reached at    {reached}");
            }
        }

        await endAsync();
        return VerbResult.Line(
            new Reachable(host.PeerId.ToString(), reservations, connections),
            string.Join('\n', reservations.Select(Describe).Append($"{connections} connections by relay")));
    }

    private static string Describe(Reserved reservation) => string.Create(
        CultureInfo.InvariantCulture,
        $"{reservation.Relay}: until {reservation.Expires:u}; a connection lasts {Limit(reservation.LimitSeconds, "s")}, carries {Limit(reservation.LimitBytes, "bytes")}");

    private static string Limit(double? limit, string unit) => limit is double most
        ? string.Create(CultureInfo.InvariantCulture, $"at most {most:F0} {unit}")
        : "as much as it wants";

    private static List<string> AddressesOf(Libp2pHost host) => [.. host.ListenAddresses.Select(address => address.ToString())];

    private sealed record Served(string PeerId, IReadOnlyList<string> Addresses, IReadOnlyList<string> Reserved, int Circuits);

    private sealed record Reachable(string PeerId, IReadOnlyList<Reserved> Reservations, int Connections);

    private sealed record Reserved(
        string Relay, DateTimeOffset Expires, IReadOnlyList<string> Addresses, double? LimitSeconds, long? LimitBytes, bool HasVoucher);
}
