using System.CommandLine;
using System.Security.Cryptography;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Node.Configuration;

namespace Tapestry.Node.Peer;

/// <summary>What every peer verb takes, and the libp2p host that comes of it: as whom to appear, how to secure, how long to wait.</summary>
internal sealed class PeerHost
{
    private readonly Option<string?> _data = new("--data")
    {
        Description = "Appear as the member of this data folder, for peers that talk only to members. Default: a new identity.",
    };

    private readonly Option<string?> _security = new("--security")
    {
        Description = "How connections are secured: noise or tls. Default: either, noise first.",
    };

    private readonly Option<double> _timeout = new("--timeout-seconds")
    {
        Description = "How long each step may take.",
        DefaultValueFactory = _ => 10,
    };

    /// <summary>The options of a verb.</summary>
    public PeerHost()
    {
        _security.AcceptOnlyFromAmong(SecurityProtocol.Noise.Name, SecurityProtocol.Tls.Name);
        _timeout.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (> 0 and <= 3600))
            {
                result.AddError("--timeout-seconds is more than 0 and at most 3600.");
            }
        });
    }

    /// <summary>Where to listen; given several times, in several places.</summary>
    public Option<string[]> Listen { get; } = new("--address")
    {
        Description = "Where to listen; may be given several times. Default: /ip4/127.0.0.1/tcp/0, a free port of this machine only.",
        DefaultValueFactory = _ => ["/ip4/127.0.0.1/tcp/0"],
    };

    /// <summary>The end of a verb that would go on for ever.</summary>
    public Option<double?> ForSeconds { get; } = new("--for-seconds") { Description = "Stop by itself after this long. Default: when interrupted." };

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="command">The verb.</param>
    /// <param name="listens">Whether it listens, and so goes on until it is stopped.</param>
    public void AddTo(Command command, bool listens)
    {
        command.Add(_data);
        command.Add(_security);
        command.Add(_timeout);
        if (listens)
        {
            command.Add(Listen);
            command.Add(ForSeconds);
        }
    }

    /// <summary>How long each step may take.</summary>
    public TimeSpan Timeout(ParseResult arguments) => TimeSpan.FromSeconds(arguments.GetValue(_timeout));

    /// <summary>Runs a verb over a host, and closes it.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="adapt">Changes how the host presents itself; null for a host that only dials.</param>
    /// <param name="work">The verb.</param>
    /// <exception cref="CliException">The folder has no usable keys, or the network failed.</exception>
    public async Task<VerbResult> RunAsync(
        ParseResult arguments, Func<Libp2pHostOptions, Libp2pHostOptions>? adapt, Func<Libp2pHost, Libp2pIdentity, Task<VerbResult>> work)
    {
        TimeSpan timeout = Timeout(arguments);
        Libp2pHostOptions options = new()
        {
            AgentVersion = "tapestry-peer",
            HandshakeDeadline = timeout,
            NegotiationDeadline = timeout,
        };
        if (SecurityProtocol.TryParse(arguments.GetValue(_security), out SecurityProtocol? security))
        {
            options = options with { Security = [security] };
        }

        using Libp2pIdentity identity = Identity(arguments.GetValue(_data));
        await using Libp2pHost host = new(identity, adapt is null ? options : adapt(options));
        try
        {
            return await work(host, identity);
        }
        catch (Libp2pException fault)
        {
            throw Explain(fault);
        }
    }

    /// <summary>Starts to listen, and says where and who comes and goes.</summary>
    public static void Start(Libp2pHost host, Terminal terminal)
    {
        host.ConnectionOpened += connection => terminal.Say($"connected     {connection.Remote} at {connection.RemoteAddress}");
        host.ConnectionClosed += (connection, fault) =>
            terminal.Say($"disconnected  {connection.Remote}{(fault == Libp2pFault.None ? "" : $": {fault}")}");
        host.InboundRefused += (remote, fault) => terminal.Say($"refused       {remote}: {fault.Message}");
        host.Start();
        foreach (Multiaddr address in host.ListenAddresses)
        {
            terminal.Say($"listening     {address}");
        }
    }

    /// <summary>Waits for the end that the command line names. Being interrupted is how such a verb ends, so it is no error.</summary>
    public async Task EndAsync(ParseResult arguments, CancellationToken stopping)
    {
        try
        {
            await Task.Delay(
                arguments.GetValue(ForSeconds) is double limit ? TimeSpan.FromSeconds(limit) : System.Threading.Timeout.InfiniteTimeSpan, stopping);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <summary>The places to listen at.</summary>
    /// <exception cref="CliException">One is none.</exception>
    public IReadOnlyList<Multiaddr> ListenAddresses(ParseResult arguments) =>
    [
        .. arguments.GetRequiredValue(Listen).Select(text => Multiaddr.TryParse(text, out Multiaddr? address)
            ? address
            : throw new CliException("address", $"'{text}' is not an address to listen on.", "Write it like /ip4/0.0.0.0/tcp/4001.", ExitCode.Usage)),
    ];

    /// <summary>The address of a peer, which names it.</summary>
    /// <exception cref="CliException">It is none.</exception>
    public static Multiaddr ParsePeer(string text) => Multiaddr.TryParse(text, out Multiaddr? address) && address.Peer is not null
        ? address
        : throw new CliException(
            "address", $"'{text}' is not the address of a peer.",
            "Write it like /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…; the last part says whom to expect, and is checked.", ExitCode.Usage);

    /// <summary>A fault of the network as an error for people.</summary>
    public static CliException Explain(Libp2pException fault)
    {
        string code = string.Concat(fault.Fault.ToString().Select((letter, index) =>
            char.IsUpper(letter) && index > 0 ? $"-{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));
        string hint = fault.Fault switch
        {
            Libp2pFault.Unreachable => "Check the address, that the peer runs, and that no firewall lies between.",
            Libp2pFault.WrongPeer => "Ask the peer's operator for its present peer id; if it has not changed, somebody else answers there.",
            Libp2pFault.PeerRefused or Libp2pFault.ConnectionLost => "The peer may talk only to members: name your data folder with --data.",
            Libp2pFault.ProtocolNotSupported => "Start the other side with: tapestry peer listen; or secure the connection another way: --security noise or tls",
            Libp2pFault.DeadlinePassed => "Allow more with --timeout-seconds, or check the link with: tapestry peer ping",
            Libp2pFault.CannotListen => "Choose another address or port with --address; port 0 takes any free one.",
            _ => "The peer speaks libp2p differently from its specification; what it is: tapestry peer identify",
        };
        return new CliException(code, fault.Message, hint, ExitCode.Unreachable, fault);
    }

    private static Libp2pIdentity Identity(string? dataFolder)
    {
        if (dataFolder is null)
        {
            return new Libp2pIdentity(SigningKey.FromSeed(RandomNumberGenerator.GetBytes(SigningKey.SeedLength)));
        }

        using KeyFile keys = KeyFile.Read(new DataFolder(dataFolder).Keys);
        return new Libp2pIdentity(SigningKey.FromSeed(keys.PeerSeed));
    }
}
