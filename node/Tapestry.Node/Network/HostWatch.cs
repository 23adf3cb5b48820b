using Tapestry.Libp2p;
using Tapestry.Node.Daemon;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Network;

/// <summary>Counts and logs what the host refuses, and what fails in it by a mistake of ours.</summary>
/// <remarks>What is counted has a bounded number of names: members and protocols of ours, times faults. The log doubles its patience with each.</remarks>
/// <param name="neighbours">Who is who.</param>
/// <param name="settings">What links share.</param>
internal sealed class HostWatch(Neighbours neighbours, LinkSettings settings)
{
    /// <summary>Watches a host, for as long as it lives.</summary>
    public void Watch(Libp2pHost host)
    {
        host.InboundRefused += OnInboundRefused;
        host.StreamRefused += OnStreamRefused;
        host.HandlerFailed += OnHandlerFailed;
    }

    private void OnInboundRefused(Multiaddr remote, Libp2pException refusal)
    {
        // Admission counts strangers itself; and whoever only hung up has done nothing wrong.
        if (refusal.Fault is Libp2pFault.PeerRefused or Libp2pFault.ConnectionLost or Libp2pFault.ClosedLocally)
        {
            return;
        }

        long times = settings.Board.Count($"callers: {refusal.Fault}");
        if (StatusBoard.IsToldOf(times))
        {
            NetworkLog.CallerRefused(settings.Logger, remote.ToString(), refusal.Fault, times);
        }
    }

    private void OnStreamRefused(PeerConnection connection, Libp2pException refusal)
    {
        // Nobody but members is admitted.
        if (!neighbours.TryGetMember(connection.Remote, out Member? member))
        {
            return;
        }

        long times = settings.Board.Count(member.Id, refusal.Fault);
        if (StatusBoard.IsToldOf(times))
        {
            NetworkLog.StreamRefused(settings.Logger, member.Name, refusal.Fault, times);
        }
    }

    private void OnHandlerFailed(string protocol, PeerId peer, Exception mistake)
    {
        string served = protocol.Length == 0 ? "a stream" : protocol;
        long times = settings.Board.Count($"this member: serving {served} failed");
        if (StatusBoard.IsToldOf(times))
        {
            NetworkLog.HandlerFailed(settings.Logger, served, neighbours.NameOf(peer), times, mistake);
        }
    }
}
