using Tapestry.Cli;
using Tapestry.Libp2p;

namespace Tapestry.Node.Network;

/// <summary>Where the other members are reached: a text file of multiaddresses that end in /p2p/, one a line; # opens a comment.</summary>
internal static class PeerList
{
    private const int LinesMax = 4096;

    /// <summary>Reads a peer list.</summary>
    /// <returns>The addresses of each peer, in the order of the file.</returns>
    /// <exception cref="CliException">The file is missing, or a line is not an address; the message names the line.</exception>
    public static IReadOnlyDictionary<PeerId, IReadOnlyList<Multiaddr>> Read(string path)
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
    public static IReadOnlyDictionary<PeerId, IReadOnlyList<Multiaddr>> Parse(IReadOnlyList<string> lines, string source)
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

        return peers.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<Multiaddr>)pair.Value);
    }

    private static CliException Malformed(string source, int line, string text, string why) => new(
        "peers-malformed", $"Line {line} of {source}, '{text}', cannot be used: {why}.",
        "Write /ip4/<address>/tcp/<port>/p2p/<peer id>; 'tapestry status' of that member shows its own.", ExitCode.Configuration);
}
