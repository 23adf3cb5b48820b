using System.CommandLine;
using Tapestry.Cli;
using Tapestry.Libp2p;

namespace Tapestry.Node.Peer;

/// <summary><c>tapestry peer listen</c>: answers identify, ping and perf until it is stopped.</summary>
internal static class PeerListen
{
    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        Option<string[]> addresses = new("--address")
        {
            Description = "Where to listen; may be given several times. Default: /ip4/127.0.0.1/tcp/0, a free port of this machine only.",
            DefaultValueFactory = _ => ["/ip4/127.0.0.1/tcp/0"],
        };
        Option<string?> data = PeerDial.IdentityOption();
        Option<double?> seconds = new("--for-seconds") { Description = "Stop by itself after this long. Default: when interrupted." };
        Command command = new("listen", "Answer identify, ping and perf, and say who connects.") { addresses, data, seconds };
        return app.Does(command, async (arguments, terminal, stopping) =>
        {
            using Libp2pIdentity identity = PeerDial.Identity(arguments.GetValue(data));
            List<Multiaddr> listen = [.. arguments.GetRequiredValue(addresses).Select(Parse)];
            await using Libp2pHost host = new(identity, new Libp2pHostOptions
            {
                ListenAddresses = listen,
                AgentVersion = "tapestry-peer",
                AnswersPerf = true,
            });
            try
            {
                return await ListenAsync(host, terminal, arguments.GetValue(seconds), stopping);
            }
            catch (Libp2pException fault)
            {
                throw PeerDial.Explain(fault);
            }
        });
    }

    private static async Task<VerbResult> ListenAsync(Libp2pHost host, Terminal terminal, double? seconds, CancellationToken stopping)
    {
        int connections = 0;
        host.ConnectionOpened += connection =>
        {
            Interlocked.Increment(ref connections);
            terminal.Say($"connected     {connection.Remote} from {connection.RemoteAddress}");
        };
        host.ConnectionClosed += (connection, fault) => terminal.Say($"disconnected  {connection.Remote}{(fault == Libp2pFault.None ? "" : $": {fault}")}");
        host.InboundRefused += (remote, fault) => terminal.Say($"refused       {remote}: {fault.Message}");
        host.Start();
        foreach (Multiaddr address in host.ListenAddresses)
        {
            terminal.Say($"listening     {address}");
        }

        await EndAsync(seconds, stopping);
        List<string> addresses = [.. host.ListenAddresses.Select(address => address.ToString())];
        return VerbResult.Line(new Listened(host.PeerId.ToString(), addresses, connections), $"{connections} connections");
    }

    /// <summary>Being interrupted is how listening ends, so it is no error.</summary>
    private static async Task EndAsync(double? seconds, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(seconds is double limit ? TimeSpan.FromSeconds(limit) : Timeout.InfiniteTimeSpan, stopping);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static Multiaddr Parse(string text) => Multiaddr.TryParse(text, out Multiaddr? address)
        ? address
        : throw new CliException(
            "address", $"'{text}' is not an address to listen on.", "Write it like /ip4/0.0.0.0/tcp/4001.", ExitCode.Usage);

    private sealed record Listened(string PeerId, IReadOnlyList<string> Addresses, int Connections);
}
