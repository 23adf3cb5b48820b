using Tapestry.Cli;
using Tapestry.Libp2p;

namespace Tapestry.Node.Network;

/// <summary>Where the other members are reached: a text file of multiaddresses that end in /p2p/, one a line; # opens a comment.</summary>
/// <remarks>One address of one member is enough: members tell each other the rest, and remember it.</remarks>
internal sealed class PeerList
{
    private const int LinesMax = 4096;

    private PeerList(IReadOnlyDictionary<PeerId, IReadOnlyList<Multiaddr>> addresses, string? problem)
    {
        Addresses = addresses;
        Problem = problem;
    }

    /// <summary>The addresses of each peer, in the order of the file.</summary>
    public IReadOnlyDictionary<PeerId, IReadOnlyList<Multiaddr>> Addresses { get; }

    /// <summary>Why the list could not be used; null when it could.</summary>
    public string? Problem { get; }

    /// <summary>Reads a peer list; one that cannot be used does no harm where other addresses are known.</summary>
    /// <param name="path">The file.</param>
    /// <param name="isNeeded">Whether the list is the only way to the others.</param>
    /// <exception cref="CliException">The list is needed and cannot be used.</exception>
    public static PeerList Read(string path, bool isNeeded)
    {
        try
        {
            return Read(path);
        }
        catch (CliException error) when (!isNeeded)
        {
            return new PeerList(new Dictionary<PeerId, IReadOnlyList<Multiaddr>>(), error.Message);
        }
    }

    /// <summary>Reads a peer list.</summary>
    /// <exception cref="CliException">The file is missing, or a line is not an address; the message names the line.</exception>
    public static PeerList Read(string path)
    {
        string[] lines;
        try
        {
            lines = [.. File.ReadLines(path).Take(LinesMax + 1)];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CliException(
                "peers-unreadable", $"The peer list {path} cannot be read: {error.Message}",
                "Name the file with --peers; it has one multiaddress a line, such as /ip4/192.0.2.7/tcp/4610/p2p/12D3Koo…",
                ExitCode.Configuration, error);
        }

        return Parse(lines, path);
    }

    /// <summary>Reads the lines of a peer list; <paramref name="source"/> names it in errors.</summary>
    /// <exception cref="CliException">A line is not an address.</exception>
    public static PeerList Parse(IReadOnlyList<string> lines, string source)
    {
        if (lines.Count > LinesMax)
        {
            throw Malformed(source, LinesMax + 1, "", $"it has more than {LinesMax} lines");
        }

        Dictionary<PeerId, List<Multiaddr>> peers = [];
        for (int index = 0; index < lines.Count; index++)
        {
            string text = lines[index].Split('#', 2)[0].Trim();
            if (text.Length == 0)
            {
                continue;
            }

            if (!Multiaddr.TryParse(text, out Multiaddr? address) || !address.TryGetTcp(out _, out _))
            {
                throw Malformed(source, index + 1, text, "it is not a multiaddress of a host and a TCP port");
            }

            PeerId peer = address.Peer ?? throw Malformed(source, index + 1, text, "it lacks /p2p/ and the peer id");
            if (!peers.TryGetValue(peer, out List<Multiaddr>? addresses))
            {
                peers[peer] = addresses = [];
            }

            addresses.Add(address);
        }

        return new PeerList(peers.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<Multiaddr>)pair.Value), problem: null);
    }

    private static CliException Malformed(string source, int line, string text, string why) => new(
        "peers-malformed", $"Line {line} of {source}, '{text}', cannot be used: {why}.",
        "Write /ip4/<address>/tcp/<port>/p2p/<peer id>; 'tapestry status' of that member shows its own.", ExitCode.Configuration);
}
