using System.Diagnostics;

namespace Tapestry.Testing;

/// <summary>Machines that reach a hub and not each other: network namespaces on veth pairs, and a hub that forwards nothing.</summary>
/// <remarks>
/// Needs root and ip(8); see <see cref="NamespacesFactAttribute"/>. Leaves route everything to the hub, which drops what is
/// not for itself, as a firewall does. Nothing of it reaches the machine's own network, and all of it goes with this object.
/// The addresses are public ones, so that programs treat them so.
/// </remarks>
public sealed class NetworkStar : IDisposable
{
    private static int _count;

    private readonly string _prefix = $"tap-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}";
    private readonly List<string> _namespaces = [];

    /// <summary>A hub and some leaves.</summary>
    /// <exception cref="InvalidOperationException">ip(8) failed; what was made is removed again.</exception>
    public NetworkStar(int leaves)
    {
        try
        {
            Add(Hub);
            Ip("netns", "exec", Hub, "sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward");
            for (int leaf = 0; leaf < leaves; leaf++)
            {
                Connect(leaf);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The namespace of the hub.</summary>
    public string Hub => _prefix + "h";

    /// <summary>The namespace of a leaf.</summary>
    public string Leaf(int leaf) => _prefix + (char)('a' + leaf);

    /// <summary>The IP address of a leaf.</summary>
    public static string AddressOf(int leaf) => $"11.77.{leaf}.2";

    /// <summary>The IP address at which a leaf reaches the hub.</summary>
    public static string HubAddressFor(int leaf) => $"11.77.{leaf}.1";

    /// <summary>A program in a namespace.</summary>
    public static ProcessStartInfo Program(string ns, string file, params string[] arguments) =>
        new("ip", ["netns", "exec", ns, file, .. arguments]);

    /// <summary>Removes the namespaces, and with them the interfaces.</summary>
    public void Dispose()
    {
        foreach (string ns in _namespaces)
        {
            TryIp(out _, "netns", "del", ns);
        }

        _namespaces.Clear();
    }

    private static void Ip(params string[] arguments)
    {
        if (!TryIp(out string error, arguments))
        {
            throw new InvalidOperationException($"ip {string.Join(' ', arguments)}: {error}");
        }
    }

    private static bool TryIp(out string error, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private void Add(string ns)
    {
        Ip("netns", "add", ns);
        _namespaces.Add(ns);
        Ip("-n", ns, "link", "set", "lo", "up");
    }

    private void Connect(int leaf)
    {
        string ns = Leaf(leaf);
        string there = Hub + leaf;
        Add(ns);
        Ip("link", "add", ns, "netns", ns, "type", "veth", "peer", "name", there, "netns", Hub);
        Ip("-n", Hub, "addr", "add", HubAddressFor(leaf) + "/24", "dev", there);
        Ip("-n", Hub, "link", "set", there, "up");
        Ip("-n", ns, "addr", "add", AddressOf(leaf) + "/24", "dev", ns);
        Ip("-n", ns, "link", "set", ns, "up");
        Ip("-n", ns, "route", "add", "default", "via", HubAddressFor(leaf));
    }
}
