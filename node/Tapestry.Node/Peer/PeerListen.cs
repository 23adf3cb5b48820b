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
        PeerHost shared = new();
        Command command = new("listen", "Answer identify, ping and perf, and say who connects.");
        shared.AddTo(command, listens: true);
        return app.Does(command, (arguments, terminal, stopping) =>
        {
            IReadOnlyList<Multiaddr> listen = shared.ListenAddresses(arguments);
            return shared.RunAsync(
                arguments,
                options => options with { ListenAddresses = listen, AnswersPerf = true },
                async (host, _) =>
                {
                    int connections = 0;
                    host.ConnectionOpened += _ => Interlocked.Increment(ref connections);
                    PeerHost.Start(host, terminal);
                    await shared.EndAsync(arguments, stopping);
                    List<string> addresses = [.. host.ListenAddresses.Select(address => address.ToString())];
                    return VerbResult.Line(new Listened(host.PeerId.ToString(), addresses, connections), $"{connections} connections");
                });
        });
    }

    private sealed record Listened(string PeerId, IReadOnlyList<string> Addresses, int Connections);
}
