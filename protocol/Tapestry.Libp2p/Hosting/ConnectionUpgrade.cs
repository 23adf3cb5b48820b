using System.IO.Pipelines;
using Tapestry.Libp2p.Noise;
using Tapestry.Libp2p.Tls;
using Tapestry.Libp2p.Yamux;

namespace Tapestry.Libp2p;

/// <summary>Turns a connected byte stream into a multiplexed connection: multistream, Noise or TLS with the muxer inside it, yamux.</summary>
/// <param name="identity">Who we are.</param>
/// <param name="options">What we offer, the gate and the limits.</param>
internal sealed class ConnectionUpgrade(Libp2pIdentity identity, Libp2pHostOptions options) : IDisposable
{
    private static readonly string[] Muxers = [YamuxConnection.ProtocolId];

    private readonly TlsIdentity? _tls = options.Security.Contains(SecurityProtocol.Tls) ? new TlsIdentity(identity, options.Time) : null;
    private readonly WindowBudget _windows = new(options.Limits.WindowBytes);
    private readonly string[] _security = [.. options.Security.Select(protocol => protocol.Id)];

    /// <summary>Upgrades; on any failure the stream is closed.</summary>
    /// <param name="stream">The byte stream; taken over.</param>
    /// <param name="expected">The peer that was dialled; null when the remote dialled us.</param>
    /// <param name="cancelled">The handshake's deadline.</param>
    /// <exception cref="Libp2pException">What the remote did wrong, or who it is not.</exception>
    internal async Task<UpgradedConnection> RunAsync(Stream stream, PeerId? expected, CancellationToken cancelled)
    {
        RawConnection raw = new(stream);
        SecureChannel? channel = null;
        try
        {
            channel = await SecureAsync(raw, expected, Muxers, cancelled);
            if (!options.Admits(channel.Remote))
            {
                throw new Libp2pException(Libp2pFault.PeerRefused, $"{channel.Remote} is not a peer that we talk to.");
            }

            bool isDialer = expected is not null;
            if (channel.EarlyMuxer is null)
            {
                await AgreeAsync(channel, Muxers, isDialer, cancelled);
            }

            YamuxConnection muxed = YamuxConnection.Start(channel, channel.Remote, isDialer, YamuxLimits.From(options.Limits), options.Time, _windows);
            return new UpgradedConnection(muxed, channel.Security, channel.EarlyMuxer is not null);
        }
        catch (Exception cause)
        {
            await (channel?.DisposeAsync() ?? raw.DisposeAsync());
            if (cause is not Libp2pException and IOException)
            {
                throw new Libp2pException(Libp2pFault.ConnectionLost, "The connection broke during its handshake.", cause);
            }

            throw;
        }
    }

    /// <summary>Lets the remote prove who it is, and closes the stream.</summary>
    /// <param name="stream">The byte stream; taken over.</param>
    /// <param name="expected">Whom the remote must prove to be.</param>
    /// <param name="cancelled">The handshake's deadline.</param>
    /// <exception cref="Libp2pException">What the remote did wrong, or who it is not.</exception>
    internal async Task ProveAsync(Stream stream, PeerId expected, CancellationToken cancelled)
    {
        await using RawConnection raw = new(stream);
        try
        {
            // Without a muxer in the handshake, its end is not yet a connection at the other side.
            await using SecureChannel channel = await SecureAsync(raw, expected, muxers: [], cancelled);
        }
        catch (IOException cause) when (cause is not Libp2pException)
        {
            throw new Libp2pException(Libp2pFault.ConnectionLost, "The connection broke during its handshake.", cause);
        }
    }

    /// <summary>Frees the key of our certificate.</summary>
    public void Dispose() => _tls?.Dispose();

    private async Task<SecureChannel> SecureAsync(RawConnection raw, PeerId? expected, string[] muxers, CancellationToken cancelled)
    {
        bool isDialer = expected is not null;
        string agreed = await AgreeAsync(raw, _security, isDialer, cancelled);
        return agreed == SecurityProtocol.Tls.Id
            ? await TlsUpgrade.RunAsync(raw, _tls!, isDialer, expected, muxers, cancelled)
            : await NoiseUpgrade.RunAsync(raw, identity, isDialer, expected, muxers, cancelled);
    }

    private static async ValueTask<string> AgreeAsync(IDuplexPipe pipe, string[] protocolIds, bool isDialer, CancellationToken cancelled) =>
        isDialer
            ? await MultistreamSelect.ProposeAsync(pipe, protocolIds, cancelled)
            : await MultistreamSelect.RespondAsync(pipe, protocolIds.Contains, cancelled)
                ?? throw new Libp2pException(Libp2pFault.ConnectionLost, $"The remote left without agreeing on {string.Join(" or ", protocolIds)}.");
}

/// <summary>What an upgrade made.</summary>
/// <param name="Muxed">The connection.</param>
/// <param name="Security">How it is secured.</param>
/// <param name="UsedEarlyMuxer">Whether the handshake agreed on the muxer.</param>
internal sealed record UpgradedConnection(MuxedConnection Muxed, SecurityProtocol Security, bool UsedEarlyMuxer);
