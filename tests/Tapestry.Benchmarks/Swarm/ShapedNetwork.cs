using System.Diagnostics;
using System.Globalization;
using Tapestry.Cli;

namespace Tapestry.Benchmarks.Swarm;

/// <summary>Network namespaces on one machine, each with a link of a given rate each way to one switch.</summary>
/// <remarks>
/// veth pairs and a bridge, shaped by tbf at both ends: the link is the bottleneck, as an institution's own is. Everything is in
/// namespaces named <c>tap-s…</c> of this process, and goes with them. Needs root.
/// </remarks>
internal sealed class ShapedNetwork : IDisposable
{
    private const string NamespaceFolder = "/run/netns";
    private const string Switch = "switch0";
    private const string Uplink = "uplink0";

    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"tap-s{Environment.ProcessId}");
    private readonly List<string> _namespaces = [];

    /// <summary>Makes the namespaces and links.</summary>
    /// <param name="hosts">How many.</param>
    /// <param name="megabitsPerSecond">The rate of each link, each way.</param>
    /// <exception cref="CliException">The kernel or the rights do not allow it; the message says what was tried.</exception>
    public ShapedNetwork(int hosts, int megabitsPerSecond)
    {
        DeleteAbandoned();
        try
        {
            string middle = Add("w");
            Run("ip", ["-n", middle, "link", "add", "name", Switch, "type", "bridge"]);
            Run("ip", ["-n", middle, "link", "set", "dev", Switch, "up"]);
            for (int host = 0; host < hosts; host++)
            {
                string name = Add(host.ToString(CultureInfo.InvariantCulture));
                string link = string.Create(CultureInfo.InvariantCulture, $"tap-s{host}");
                Run("ip", ["-n", middle, "link", "add", "name", link, "type", "veth", "peer", "name", Uplink, "netns", name]);
                Run("ip", ["-n", middle, "link", "set", "dev", link, "master", Switch, "up"]);
                Run("ip", ["-n", name, "address", "add", $"{AddressOf(host)}/24", "dev", Uplink]);
                Run("ip", ["-n", name, "link", "set", "dev", Uplink, "up"]);
                Shape(middle, link, megabitsPerSecond);
                Shape(name, Uplink, megabitsPerSecond);
            }
        }
        catch (CliException)
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Why there can be no such network here; null when there can.</summary>
    public static string? Obstacle => !Environment.IsPrivilegedProcess ? "needs root for network namespaces"
        : !File.Exists("/usr/sbin/tc") && !File.Exists("/sbin/tc") ? "needs ip and tc (iproute2)"
        : null;

    /// <summary>The address of a host.</summary>
    public static string AddressOf(int host) => string.Create(CultureInfo.InvariantCulture, $"10.98.76.{host + 1}");

    /// <summary>How to start a program on a host.</summary>
    public ProcessStartInfo On(int host, ProcessStartInfo program) =>
        new("ip", ["netns", "exec", $"{_prefix}-{host}", program.FileName, .. program.ArgumentList]);

    /// <summary>Deletes the namespaces, and with them the links.</summary>
    public void Dispose()
    {
        foreach (string name in _namespaces)
        {
            TryRun("ip", ["netns", "delete", name], out _);
        }

        _namespaces.Clear();
    }

    /// <summary>What a process left that was killed.</summary>
    private static void DeleteAbandoned()
    {
        foreach (string path in Directory.Exists(NamespaceFolder) ? Directory.GetFiles(NamespaceFolder, "tap-s*-*") : [])
        {
            string name = Path.GetFileName(path);
            if (!Directory.Exists($"/proc/{name["tap-s".Length..name.LastIndexOf('-')]}"))
            {
                TryRun("ip", ["netns", "delete", name], out _);
            }
        }
    }

    private string Add(string suffix)
    {
        string name = $"{_prefix}-{suffix}";
        Run("ip", ["netns", "add", name]);
        _namespaces.Add(name);
        return name;
    }

    private static void Shape(string name, string link, int megabitsPerSecond) => Run(
        "tc", ["-n", name, "qdisc", "add", "dev", link, "root", "tbf", "rate", $"{megabitsPerSecond}mbit", "burst", "128kb", "latency", "50ms"]);

    private static void Run(string program, string[] arguments)
    {
        if (!TryRun(program, arguments, out string error))
        {
            throw new CliException(
                "no-namespaces", $"{program} {string.Join(' ', arguments)}: {error}", "Network namespaces with veth and tbf are needed, and root.", ExitCode.Failed);
        }
    }

    private static bool TryRun(string program, string[] arguments, out string error)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        error = process.StandardError.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
