using System.Net;
using Microsoft.Extensions.Configuration;
using Tapestry.Cli;
using Tapestry.Libp2p;
using Tapestry.Node.Network;

namespace Tapestry.Node.Configuration;

/// <summary>What one machine decides for itself; all that members must agree on is in the plan.</summary>
/// <remarks>
/// Layers, later ones win: defaults, <c>tapestry.json</c> in the data folder, the environment
/// (<c>TAPESTRY_TRAINING__THREADS=2</c>), flags (<c>--set training:threads=2</c>).
/// </remarks>
internal sealed record NodeOptions
{
    private const long BytesPerMbit = 125_000;
    private const string SettingHint = "Set it in tapestry.json, as an environment variable, or with --set.";

    /// <summary>Every key with its default, range and meaning.</summary>
    public static IReadOnlyList<Setting> Settings { get; } =
    [
        new("network:listen", "/ip4/0.0.0.0/tcp/4610", "an /ip4 or /ip6 multiaddress with /tcp; port 0 takes a free one", "Where other members reach this one."),
        new("network:announce", "auto", "auto, or multiaddresses of a host and a TCP port, separated by commas", "What others are told to dial, where that differs from network:listen: behind port forwarding, or under a name."),
        new("network:reach", "auto", "auto, direct or relayed", "Whether others can dial this member: found out by asking them, yes, or no, so that it is reached through members that can be dialled."),
        new("network:gossip", "on", "on or off", "Whether this member gossips. Off, it says and hears what is for everyone only when it is said again, on streams: slower, to find out whether gossip is at fault."),
        new("network:peers", "peers.txt", "a path, from the data folder", "The peer list: one multiaddress with /p2p/ a line; one member is enough."),
        new("network:queueMessages", "256", "16 to 65536 messages", "Messages waiting for one peer before the oldest is dropped."),
        new("network:requestSeconds", "20", "1 to 600 seconds", "How long one request to a peer may take before the next provider is asked."),
        new("network:redialSeconds", "10", "1 to 600 seconds", "Longest pause between two attempts to reach a peer."),
        new("network:uploadMbit", "0", "0 to 100000 Mbit/s; 0 for no limit", "The most that is sent of blobs, to all members together."),
        new("network:downloadMbit", "0", "0 to 100000 Mbit/s; 0 for no limit", "The most that is asked for of blobs, of all members together."),
        new("http:listen", "127.0.0.1:4611", "address:port, port 0 takes a free one, or off", "Where status and checkpoints are served; keep it on loopback."),
        new("training:corpus", "corpus", "a file or folder, from the data folder", "This member's own text: UTF-8 .txt or .jsonl."),
        new("training:threads", "0", "0 to 1024 threads; 0 takes every core", "Threads of libtorch; several daemons on a machine share its cores."),
        new("training:device", "cpu", "cpu, cuda or cuda:N", "Where training runs."),
        new("training:precision", "fp32", "fp32 or bf16", "Precision of matrix products in training."),
        new("training:heldOutPercent", "15", "1 to 50 percent", "Share of the documents that is never trained on."),
        new("training:heldOutTokens", "16384", "128 to 1000000000 tokens", "Held-out tokens of each file, from its start, that a round's losses are measured on."),
    ];

    /// <summary>Where other members reach this one.</summary>
    public required Multiaddr ListenAddress { get; init; }

    /// <summary>What others are told to dial; empty for where this member listens.</summary>
    public required IReadOnlyList<Multiaddr> AnnounceAddresses { get; init; }

    /// <summary>Whether others can dial this member.</summary>
    public required Reach Reach { get; init; }

    /// <summary>Whether this member gossips.</summary>
    public required bool Gossips { get; init; }

    /// <summary>Path of the peer list.</summary>
    public required string PeersPath { get; init; }

    /// <summary>Messages waiting for one peer before the oldest is dropped.</summary>
    public required int QueueMessages { get; init; }

    /// <summary>How long one request to a peer may take.</summary>
    public required TimeSpan RequestTimeout { get; init; }

    /// <summary>Longest pause between two attempts to reach a peer.</summary>
    public required TimeSpan RedialPauseMax { get; init; }

    /// <summary>The most that is sent of blobs a second; 0 for no limit.</summary>
    public required long UploadBytesPerSecond { get; init; }

    /// <summary>The most that is asked for of blobs a second; 0 for no limit.</summary>
    public required long DownloadBytesPerSecond { get; init; }

    /// <summary>Where the HTTP API listens; null when it is off.</summary>
    public required IPEndPoint? Http { get; init; }

    /// <summary>A file or folder of the member's own text.</summary>
    public required string CorpusPath { get; init; }

    /// <summary>Threads of libtorch; at least one.</summary>
    public required int Threads { get; init; }

    /// <summary>cpu, cuda or cuda:N.</summary>
    public required string Device { get; init; }

    /// <summary>Whether matrix products run in bf16.</summary>
    public required bool UseBf16 { get; init; }

    /// <summary>Share of the documents that is never trained on, in percent.</summary>
    public required int HeldOutPercent { get; init; }

    /// <summary>Held-out tokens of each file that the losses of a round are measured on.</summary>
    public required int HeldOutTokens { get; init; }

    /// <summary>The layers of one data folder.</summary>
    /// <param name="folder">Where tapestry.json is; it may be absent.</param>
    /// <param name="flags">Keys and values of the command line.</param>
    /// <exception cref="CliException">tapestry.json is not JSON.</exception>
    public static IConfigurationRoot Layers(DataFolder folder, IEnumerable<KeyValuePair<string, string?>> flags)
    {
        try
        {
            return new ConfigurationBuilder()
                .AddInMemoryCollection(Settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Default)))
                .AddJsonFile(folder.Settings, optional: true, reloadOnChange: false)
                .AddEnvironmentVariables("TAPESTRY_")
                .AddInMemoryCollection(flags)
                .Build();
        }
        catch (Exception error) when (error is InvalidDataException or FormatException)
        {
            throw new CliException(
                "configuration", $"{folder.Settings} cannot be read: {error.InnerException?.Message ?? error.Message}",
                "It has to be one JSON object; see: tapestry config", ExitCode.Configuration, error);
        }
    }

    /// <summary>Reads and checks every key.</summary>
    /// <exception cref="CliException">A value is out of its range; the message names key, value and range.</exception>
    public static NodeOptions Read(IConfiguration layers, DataFolder folder)
    {
        string listen = Text(layers, "network:listen");
        if (!Multiaddr.TryParse(listen, out Multiaddr? address) || address.Peer is not null || !address.TryGetTcp(out _, out _))
        {
            throw Refuse("network:listen", listen);
        }

        int threads = Whole(layers, "training:threads", 0, 1024);
        return new NodeOptions
        {
            ListenAddress = address,
            AnnounceAddresses = ReadAnnounced(Text(layers, "network:announce")),
            Reach = Text(layers, "network:reach") switch
            {
                "auto" => Reach.Auto,
                "direct" => Reach.Direct,
                "relayed" => Reach.Relayed,
                string other => throw Refuse("network:reach", other),
            },
            Gossips = Text(layers, "network:gossip") switch
            {
                "on" => true,
                "off" => false,
                string other => throw Refuse("network:gossip", other),
            },
            PeersPath = Path.Combine(folder.Root, Text(layers, "network:peers")),
            QueueMessages = Whole(layers, "network:queueMessages", 16, 65536),
            RequestTimeout = TimeSpan.FromSeconds(Whole(layers, "network:requestSeconds", 1, 600)),
            RedialPauseMax = TimeSpan.FromSeconds(Whole(layers, "network:redialSeconds", 1, 600)),
            UploadBytesPerSecond = Whole(layers, "network:uploadMbit", 0, 100_000) * BytesPerMbit,
            DownloadBytesPerSecond = Whole(layers, "network:downloadMbit", 0, 100_000) * BytesPerMbit,
            Http = ReadHttp(Text(layers, "http:listen")),
            CorpusPath = Path.Combine(folder.Root, Text(layers, "training:corpus")),
            Threads = threads == 0 ? Environment.ProcessorCount : threads,
            Device = ReadDevice(Text(layers, "training:device")),
            UseBf16 = Text(layers, "training:precision") switch
            {
                "fp32" => false,
                "bf16" => true,
                string other => throw Refuse("training:precision", other),
            },
            HeldOutPercent = Whole(layers, "training:heldOutPercent", 1, 50),
            HeldOutTokens = Whole(layers, "training:heldOutTokens", 128, 1_000_000_000),
        };
    }

    /// <summary>Keys of tapestry.json that mean nothing: spelling mistakes, most likely.</summary>
    public static IReadOnlyList<string> UnknownKeys(DataFolder folder)
    {
        IConfigurationRoot file = new ConfigurationBuilder().AddJsonFile(folder.Settings, optional: true, reloadOnChange: false).Build();
        return
        [
            .. file.AsEnumerable()
                .Where(pair => pair.Value is not null)
                .Select(pair => pair.Key)
                .Where(key => !Settings.Any(setting => setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase)))
                .Order(StringComparer.Ordinal),
        ];
    }

    private static List<Multiaddr> ReadAnnounced(string text)
    {
        if (text == "auto")
        {
            return [];
        }

        List<Multiaddr> addresses = [];
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            bool isAddress = Multiaddr.TryParse(part, out Multiaddr? address) && address.Peer is null
                && address.TryGetTcp(out _, out ushort port) && port > 0 && addresses.Count < PeerRecord.MaximumAddresses;
            addresses.Add(isAddress ? address! : throw Refuse("network:announce", text));
        }

        return addresses;
    }

    private static IPEndPoint? ReadHttp(string text)
    {
        if (text == "off")
        {
            return null;
        }

        return IPEndPoint.TryParse(text, out IPEndPoint? endpoint) && text.Contains(':', StringComparison.Ordinal)
            ? endpoint
            : throw Refuse("http:listen", text);
    }

    private static string ReadDevice(string text)
    {
        bool isKnown = text is "cpu" or "cuda"
            || (text.StartsWith("cuda:", StringComparison.Ordinal) && byte.TryParse(text.AsSpan("cuda:".Length), out _));
        return isKnown ? text : throw Refuse("training:device", text);
    }

    private static string Text(IConfiguration layers, string key)
    {
        string? text = layers[key];
        return string.IsNullOrWhiteSpace(text) ? throw Refuse(key, text ?? "") : text;
    }

    private static int Whole(IConfiguration layers, string key, int least, int most)
    {
        string text = Text(layers, key);
        bool isNumber = int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out int value);
        return isNumber && value >= least && value <= most ? value : throw Refuse(key, text);
    }

    private static CliException Refuse(string key, string value)
    {
        Setting setting = Settings.Single(candidate => candidate.Key == key);
        return new CliException(
            "configuration", $"The setting {key} is '{value}', which is not {setting.Range}.", SettingHint, ExitCode.Configuration);
    }
}
