using Microsoft.Extensions.Hosting;
using Tapestry.Cli;
using Tapestry.Libp2p;
using Tapestry.Node.Daemon;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>This member on the network: listens, answers, and keeps a link to every other member.</summary>
/// <param name="host">The libp2p host, with its admission and limits.</param>
/// <param name="genesis">The network.</param>
/// <param name="neighbours">Who is who.</param>
/// <param name="list">The peer list.</param>
/// <param name="exchange">Learns of the members that the list does not have.</param>
/// <param name="relay">Reaches us through others where nobody can dial us, and others through us.</param>
/// <param name="settings">What all links share.</param>
internal sealed class NetworkService(
    Libp2pHost host, Genesis genesis, Neighbours neighbours, PeerList list, PeerExchange exchange, MemberRelay relay, LinkSettings settings)
    : BackgroundService
{
    private readonly Dictionary<MemberId, PeerLink> _links = genesis.Members
        .Where(member => member.Id != neighbours.Self)
        .ToDictionary(member => member.Id, member => new PeerLink(host, member, exchange, settings));

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

        settings.RefuseStranger(peer);
        return false;
    };

    /// <summary>Keeps members' addresses only, over restarts, and dials them as the links redial.</summary>
    public static AddressBookOptions AddressBookOptions(Neighbours neighbours, RecordStore records, LinkSettings settings) => new()
    {
        Believes = peer => neighbours.TryGetMember(peer, out _),
        FirstRest = PeerLink.FirstPause,
        LongestRest = settings.RedialPauseMax,
        Store = new PeerRecordTable(records, settings.Logger),
    };

    /// <summary>Listens, then starts the links.</summary>
    /// <exception cref="CliException">The port is in use or the address is not this machine's.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        FillAddressBook();
        exchange.Register();
        new HostWatch(neighbours, settings).Watch(host);
        host.ConnectionOpened += connection => LinkOf(connection.Remote)?.Wake();
        host.AddressBook.Changed += OnAddressesChanged;
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

        OnAddressesChanged(host.PeerId);
        settings.Board.DescribesMembersBy(DescribeMembers);
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await relay.DisposeAsync();
        await host.StopAsync();
    }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(
    [
        .. _links.Values.Select(link => Task.Run(() => link.RunAsync(stoppingToken), CancellationToken.None)),
        Task.Run(() => exchange.RunAsync(stoppingToken), CancellationToken.None),
    ]);

    private void OnAddressesChanged(PeerId peer)
    {
        if (peer == host.PeerId)
        {
            settings.Board.Addresses = [.. host.AnnouncedAddresses.Select(address => address.WithPeer(peer).ToString())];
        }
        else
        {
            LinkOf(peer)?.Wake();
        }
    }

    private PeerLink? LinkOf(PeerId peer) =>
        neighbours.TryGetMember(peer, out Member? member) ? _links.GetValueOrDefault(member.Id) : null;

    private void FillAddressBook()
    {
        if (list.Problem is not null)
        {
            NetworkLog.PeerListUnusable(settings.Logger, list.Problem);
        }

        foreach (Member member in genesis.Members.Where(member => member.Id != neighbours.Self))
        {
            PeerId peer = PeerId.From(member.PeerKey);
            if (list.Addresses.TryGetValue(peer, out IReadOnlyList<Multiaddr>? addresses))
            {
                host.AddressBook.Pin(peer, addresses);
            }

            if (host.AddressBook.AddressesOf(peer).Count == 0)
            {
                NetworkLog.NoAddress(settings.Logger, member.Name);
            }
        }
    }

    private IReadOnlyList<MemberReport> DescribeMembers() =>
    [
        .. genesis.Members
            .Where(member => member.Id != neighbours.Self)
            .Select(member =>
            {
                KnownAddress? first = host.AddressBook.AddressesOf(PeerId.From(member.PeerKey)) is [KnownAddress known, ..] ? known : null;
                return new MemberReport(member.Name, first?.Address.ToString(), first is null ? "unknown" : first.Source switch
                {
                    AddressSource.Given => "list",
                    AddressSource.Record => "signed",
                    _ => "told",
                });
            }),
    ];
}
