using Microsoft.Extensions.Hosting;
using Tapestry.Cli;
using Tapestry.Libp2p;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>This member on the network: listens, answers, and keeps a link to every other member.</summary>
/// <param name="host">The libp2p host, with its admission and limits.</param>
/// <param name="genesis">The network.</param>
/// <param name="neighbours">Who is who.</param>
/// <param name="peers">Addresses of the peer list.</param>
/// <param name="settings">What all links share.</param>
internal sealed class NetworkService(
    Libp2pHost host, Genesis genesis, Neighbours neighbours, IReadOnlyDictionary<PeerId, IReadOnlyList<Multiaddr>> peers,
    LinkSettings settings) : BackgroundService
{
    private readonly Dictionary<MemberId, PeerLink> _links = genesis.Members
        .Where(member => member.Id != neighbours.Self)
        .ToDictionary(
            member => member.Id,
            member => new PeerLink(host, member, peers.GetValueOrDefault(PeerId.From(member.PeerKey), []), settings));

    /// <summary>Queues a message for each of some members; encoded once.</summary>
    public void Send(Sequence<MemberId> to, PeerMessage message)
    {
        ByteString bytes = message.Encode();
        foreach (MemberId member in to)
        {
            if (_links.TryGetValue(member, out PeerLink? link))
            {
                link.Enqueue(bytes);
            }
        }
    }

    /// <summary>Admits members only; a stranger is refused once it has proved who it is.</summary>
    public static Predicate<PeerId> Admission(Neighbours neighbours, LinkSettings settings) => peer =>
    {
        if (neighbours.TryGetMember(peer, out _))
        {
            return true;
        }

        NetworkLog.Stranger(settings.Logger, peer.ToString());
        settings.Board.Count($"{peer.ToShortString()}: {MemberFault.Stranger}");
        return false;
    };

    /// <summary>Listens, then starts the links.</summary>
    /// <exception cref="CliException">The port is in use or the address is not this machine's.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            host.Start();
        }
        catch (Libp2pException error)
        {
            throw new CliException(
                "port-in-use", error.Message, "Stop what listens there, or set network:listen to another port; port 0 takes a free one.",
                ExitCode.Unreachable, error);
        }

        settings.Board.Addresses = [.. host.ListenAddresses.Select(address => address.ToString())];
        foreach (Member member in genesis.Members.Where(member => member.Id != neighbours.Self))
        {
            if (!peers.ContainsKey(PeerId.From(member.PeerKey)))
            {
                NetworkLog.NoAddress(settings.Logger, member.Name);
            }
        }

        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await host.StopAsync();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_links.Values.Select(link => Task.Run(() => link.RunAsync(stoppingToken), CancellationToken.None)));
}
