using System.CommandLine;
using Tapestry.Cli;

namespace Tapestry.Node.Peer;

/// <summary><c>tapestry peer listen|identify|ping|perf|gossip|relay|fetch</c>: diagnosis against any libp2p peer, ours or another's.</summary>
internal static class PeerCommands
{
    /// <summary>The group of verbs.</summary>
    public static Command Create(CommandLineApp app) => new("peer", "Diagnose the network: talk to any libp2p peer by its address.")
    {
        PeerListen.Create(app),
        PeerIdentify.Create(app),
        PeerPing.Create(app),
        PeerPerf.Create(app),
        PeerGossip.Create(app),
        PeerRelay.Create(app),
        PeerFetch.Create(app),
    };
}
