using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tapestry.Cli;
using Tapestry.Libp2p;

namespace Tapestry.Node.Peer;

/// <summary><c>tapestry peer identify</c>: who a peer is and what it says of itself.</summary>
internal static class PeerIdentify
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        PeerDial dial = new();
        Command command = new("identify", "Connect to a peer, prove its peer id, and ask what it runs.");
        dial.AddTo(command);
        return app.Does(command, (arguments, _, stopping) => dial.RunAsync(arguments, IdentifyAsync, stopping));
    }

    private static async Task<VerbResult> IdentifyAsync(Libp2pHost host, PeerConnection connection, TimeSpan connecting)
    {
        IdentifyMessage about = await connection.Identified
            ?? throw new Libp2pException(Libp2pFault.ProtocolNotSupported, $"{connection.Remote} is connected and does not answer identify.");
        Identified result = new(
            connection.Remote.ToString(),
            connecting.TotalMilliseconds,
            connection.SecurityProtocol,
            about.AgentVersion,
            about.ProtocolVersion,
            [.. about.ListenAddresses.Select(address => address.ToString())],
            about.ObservedAddress?.ToString(),
            about.Protocols);
        return new VerbResult(result, console => Show(console, result));
    }

    private static void Show(IAnsiConsole console, Identified peer)
    {
        Table table = new Table { Border = TableBorder.None, ShowHeaders = false }.AddColumns("", "");
        table.AddRow("peer id", Markup.Escape(peer.PeerId));
        table.AddRow("connected in", peer.ConnectMs.ToString("F1", CultureInfo.InvariantCulture) + " ms");
        table.AddRow("secured by", peer.Security);
        table.AddRow("runs", Markup.Escape($"{peer.Agent} ({peer.ProtocolVersion})"));
        table.AddRow("listens on", Markup.Escape(string.Join('\n', peer.Addresses)));
        table.AddRow("sees us as", Markup.Escape(peer.Observed ?? "does not say"));
        table.AddRow("speaks", Markup.Escape(string.Join('\n', peer.Protocols)));
        console.Write(table);
    }

    private sealed record Identified(
        string PeerId,
        double ConnectMs,
        string Security,
        string Agent,
        string ProtocolVersion,
        IReadOnlyList<string> Addresses,
        string? Observed,
        IReadOnlyList<string> Protocols);
}
