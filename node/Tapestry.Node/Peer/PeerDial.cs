using System.CommandLine;
using System.Security.Cryptography;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Node.Configuration;

namespace Tapestry.Node.Peer;

/// <summary>What the peer verbs share: who we are, whom to dial, and how a fault is told.</summary>
internal sealed class PeerDial
{
    private readonly Argument<string> _address = new("address")
    {
        Description = "The peer's address, such as /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo….",
    };

    private readonly Option<string?> _data = IdentityOption();

    private readonly Option<double> _timeout = new("--timeout-seconds")
    {
        Description = "How long each step may take.",
        DefaultValueFactory = _ => 10,
    };

    /// <summary>The option that says as whom to appear.</summary>
    public static Option<string?> IdentityOption() => new("--data")
    {
        Description = "Appear as the member of this data folder, for peers that talk only to members. Default: a new identity.",
    };

    /// <summary>A new identity, or the peer key of a member's folder.</summary>
    /// <exception cref="CliException">The folder has no usable keys.</exception>
    public static Libp2pIdentity Identity(string? dataFolder)
    {
        if (dataFolder is null)
        {
            return new Libp2pIdentity(SigningKey.FromSeed(RandomNumberGenerator.GetBytes(SigningKey.SeedLength)));
        }

        using KeyFile keys = KeyFile.Read(new DataFolder(dataFolder).Keys);
        return new Libp2pIdentity(SigningKey.FromSeed(keys.PeerSeed));
    }

    /// <summary>Adds what every dialling verb takes.</summary>
    public void AddTo(Command command)
    {
        command.Add(_address);
        command.Add(_data);
        command.Add(_timeout);
    }

    /// <summary>Connects, works, and closes.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="work">What to do on the connection; told how long connecting took.</param>
    /// <param name="stopping">Ends it early.</param>
    /// <exception cref="CliException">The address is none, or the peer did not do what it should.</exception>
    public async Task<VerbResult> RunAsync(
        ParseResult arguments, Func<Libp2pHost, PeerConnection, TimeSpan, Task<VerbResult>> work, CancellationToken stopping)
    {
        Multiaddr address = ParseAddress(arguments.GetRequiredValue(_address));
        TimeSpan timeout = TimeSpan.FromSeconds(arguments.GetValue(_timeout));
        using Libp2pIdentity identity = Identity(arguments.GetValue(_data));
        await using Libp2pHost host = new(identity, new Libp2pHostOptions
        {
            AgentVersion = "tapestry-peer",
            HandshakeDeadline = timeout,
            NegotiationDeadline = timeout,
        });
        try
        {
            long start = TimeProvider.System.GetTimestamp();
            PeerConnection connection = await host.DialAsync(address, stopping);
            return await work(host, connection, TimeProvider.System.GetElapsedTime(start));
        }
        catch (Libp2pException fault)
        {
            throw Explain(fault);
        }
    }

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
            Libp2pFault.ProtocolNotSupported => "Start the other side with: tapestry peer listen",
            Libp2pFault.DeadlinePassed => "Allow more with --timeout-seconds, or check the link with: tapestry peer ping",
            Libp2pFault.CannotListen => "Choose another address or port with --address; port 0 takes any free one.",
            _ => "The peer speaks libp2p differently from its specification; what it is: tapestry peer identify",
        };
        return new CliException(code, fault.Message, hint, ExitCode.Unreachable, fault);
    }

    private static Multiaddr ParseAddress(string text)
    {
        if (Multiaddr.TryParse(text, out Multiaddr? address) && address.Peer is not null)
        {
            return address;
        }

        throw new CliException(
            "address", $"'{text}' is not the address of a peer.",
            "Write it like /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…; the last part says whom to expect, and is checked.", ExitCode.Usage);
    }
}
