using System.CommandLine;
using Tapestry.Cli;
using Tapestry.Libp2p;

namespace Tapestry.Node.Peer;

/// <summary>What the verbs share that dial one peer and then do something with it.</summary>
internal sealed class PeerDial
{
    private readonly Argument<string> _address = new("address")
    {
        Description = "The peer's address, such as /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo….",
    };

    private readonly PeerHost _host = new();

    /// <summary>Adds what every dialling verb takes.</summary>
    public void AddTo(Command command)
    {
        command.Add(_address);
        _host.AddTo(command, listens: false);
    }

    /// <summary>Connects, works, and closes.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="work">What to do on the connection; told how long connecting took.</param>
    /// <param name="stopping">Ends it early.</param>
    /// <exception cref="CliException">The address is none, or the peer did not do what it should.</exception>
    public Task<VerbResult> RunAsync(
        ParseResult arguments, Func<Libp2pHost, PeerConnection, TimeSpan, Task<VerbResult>> work, CancellationToken stopping)
    {
        Multiaddr address = PeerHost.ParsePeer(arguments.GetRequiredValue(_address));
        return _host.RunAsync(arguments, adapt: null, async (host, _) =>
        {
            long start = TimeProvider.System.GetTimestamp();
            PeerConnection connection = await host.DialAsync(address, stopping);
            return await work(host, connection, TimeProvider.System.GetElapsedTime(start));
        });
    }
}
