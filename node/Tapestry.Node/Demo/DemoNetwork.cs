using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Tapestry.Libp2p;
using Tapestry.Node.Configuration;
using Tapestry.Node.Verbs;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Demo;

/// <summary>Four members made for the demo: their folders, keys, texts, ports and daemons.</summary>
internal sealed class DemoNetwork : IDisposable
{
    /// <summary>Members, each with one language of every family.</summary>
    public const int MemberCount = DemoCorpora.Partners;

    /// <summary>Share of each text that nobody trains on.</summary>
    public const int HeldOutPercent = 15;

    private static readonly string[] Names = ["aurora", "boreas", "calypso", "daphne"];

    private DemoNetwork(string root, Genesis genesis, IReadOnlyList<DaemonProcess> daemons)
    {
        Root = root;
        Genesis = genesis;
        Daemons = daemons;
    }

    /// <summary>The folder of everything.</summary>
    public string Root { get; }

    /// <summary>The network.</summary>
    public Genesis Genesis { get; }

    /// <summary>The daemons, in the order of the languages' owners.</summary>
    public IReadOnlyList<DaemonProcess> Daemons { get; }

    /// <summary>The name of a member.</summary>
    public static string NameOf(int owner) => Names[owner];

    /// <summary>The member of a daemon.</summary>
    public Member MemberOf(int owner) => Genesis.Members.Single(member => member.Name == Names[owner]);

    /// <summary>Files of a member's own text.</summary>
    public IReadOnlyList<string> Corpus(int owner) =>
        [.. DemoCorpora.OwnedBy(owner).Select(language => Path.Combine(Daemons[owner].Folder.Root, "corpus", language.Code + ".txt")).Order(StringComparer.Ordinal)];

    /// <summary>Makes folders, keys, texts, the genesis and the peer lists; starts nothing.</summary>
    /// <param name="root">An empty folder.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="time">The clock, for the genesis.</param>
    public static DemoNetwork Create(string root, Plan plan, TimeProvider time)
    {
        int[] ports = FreePorts(2 * MemberCount);
        List<DaemonProcess> daemons = [];
        List<Member> members = [];
        StringBuilder peers = new("# Made by tapestry demo.\n");
        for (int owner = 0; owner < MemberCount; owner++)
        {
            DataFolder folder = new(Path.Combine(root, Names[owner]));
            MemberCard card = InitVerb.CreateMember(folder, Names[owner], Settings(ports[2 * owner], ports[(2 * owner) + 1]));
            Member member = card.ToMember(Names[owner]);
            members.Add(member);
            daemons.Add(new DaemonProcess(Names[owner], folder, ports[(2 * owner) + 1]));
            peers.Append(CultureInfo.InvariantCulture, $"/ip4/127.0.0.1/tcp/{ports[2 * owner]}/p2p/{PeerId.From(member.PeerKey)}\n");
            string corpus = Path.Combine(folder.Root, "corpus");
            Directory.CreateDirectory(corpus);
            foreach (DemoLanguage language in DemoCorpora.OwnedBy(owner))
            {
                File.Copy(DemoCorpora.PathOf(language), Path.Combine(corpus, language.Code + ".txt"));
            }
        }

        Genesis genesis = NewGenesis.Create("demo", plan, members, MemberCount, noFaultTolerance: false, time);
        foreach (DaemonProcess daemon in daemons)
        {
            AtomicFile.Write(daemon.Folder.Genesis, genesis.Encode().Span);
            AtomicFile.Write(Path.Combine(daemon.Folder.Root, "peers.txt"), Encoding.ASCII.GetBytes(peers.ToString()));
        }

        return new DemoNetwork(root, genesis, daemons);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DaemonProcess daemon in Daemons)
        {
            daemon.Dispose();
        }
    }

    private static Dictionary<string, string?> Settings(int port, int httpPort) => new()
    {
        ["network:listen"] = string.Create(CultureInfo.InvariantCulture, $"/ip4/127.0.0.1/tcp/{port}"),
        ["network:redialSeconds"] = "1",
        ["http:listen"] = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{httpPort}"),
        ["training:threads"] = "1",
        // The demo measures everything at its end; a round's own figures are for the live table.
        ["training:heldOutTokens"] = "1024",
    };

    /// <summary>Ports that are free now; held together until all are found, so that they differ.</summary>
    private static int[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        try
        {
            foreach (TcpListener listener in listeners)
            {
                listener.Start();
            }

            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (TcpListener listener in listeners)
            {
                listener.Dispose();
            }
        }
    }
}
