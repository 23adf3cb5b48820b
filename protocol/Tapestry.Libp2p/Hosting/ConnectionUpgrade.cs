using Tapestry.Libp2p.Noise;
using Tapestry.Libp2p.Yamux;

namespace Tapestry.Libp2p;

/// <summary>Turns a connected socket into a multiplexed connection: multistream, Noise, multistream, yamux.</summary>
internal static class ConnectionUpgrade
{
    /// <summary>Upgrades; on any failure the stream is closed.</summary>
    /// <param name="stream">The connected socket's stream; taken over.</param>
    /// <param name="identity">Who we are.</param>
    /// <param name="expected">The peer that was dialled; null when the remote dialled us.</param>
    /// <param name="options">The gate and the limits.</param>
    /// <param name="cancelled">The handshake's deadline.</param>
    /// <exception cref="Libp2pException">What the remote did wrong, or who it is not.</exception>
    internal static async Task<MuxedConnection> RunAsync(
        Stream stream, Libp2pIdentity identity, PeerId? expected, Libp2pHostOptions options, CancellationToken cancelled)
    {
        bool isDialer = expected is not null;
        RawConnection raw = new(stream);
        try
        {
            await AgreeAsync(raw, NoiseUpgrade.ProtocolId, isDialer, cancelled);
            NoiseChannel channel = await NoiseUpgrade.RunAsync(raw, identity, isDialer, expected, cancelled);
            if (!options.Admits(channel.Remote))
            {
                throw new Libp2pException(Libp2pFault.PeerRefused, $"{channel.Remote} is not a peer that we talk to.");
            }

            await AgreeAsync(channel, YamuxConnection.ProtocolId, isDialer, cancelled);
            return YamuxConnection.Start(channel, channel.Remote, isDialer, YamuxLimits.From(options.Limits), options.Time);
        }
        catch (Exception cause)
        {
            await raw.DisposeAsync();
            if (cause is not Libp2pException and IOException)
            {
                throw new Libp2pException(Libp2pFault.ConnectionLost, "The connection broke during its handshake.", cause);
            }

            throw;
        }
    }

    private static async ValueTask AgreeAsync(System.IO.Pipelines.IDuplexPipe pipe, string protocolId, bool isDialer, CancellationToken cancelled)
    {
        if (isDialer)
        {
            await MultistreamSelect.ProposeAsync(pipe, protocolId, cancelled);
        }
        else if (await MultistreamSelect.RespondAsync(pipe, proposal => proposal == protocolId, cancelled) is null)
        {
            throw new Libp2pException(Libp2pFault.ConnectionLost, $"The remote left without agreeing on {protocolId}.");
        }
    }
}
