using Microsoft.Extensions.Logging;
using Tapestry.Libp2p;
using Tapestry.Node.Daemon;
using Tapestry.Node.Network;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Swarm;

/// <summary>The swarm as the rules see it: members instead of peers, and outcomes that blame one.</summary>
internal sealed class MemberBlobs
{
    private readonly BlobSwarm _swarm;
    private readonly Neighbours _neighbours;
    private readonly StatusBoard _board;
    private readonly ILogger<MemberBlobs> _logger;

    /// <summary>Counts and logs what peers do wrong from now on.</summary>
    /// <param name="swarm">Moves the blobs.</param>
    /// <param name="neighbours">Who is who.</param>
    /// <param name="board">Where faults are counted.</param>
    /// <param name="logger">Where they are logged.</param>
    public MemberBlobs(BlobSwarm swarm, Neighbours neighbours, StatusBoard board, ILogger<MemberBlobs> logger)
    {
        _swarm = swarm;
        _neighbours = neighbours;
        _board = board;
        _logger = logger;
        swarm.FaultFound += Count;
    }

    /// <summary>Makes sure that blobs are held.</summary>
    /// <param name="shapes">Their names, and how the plan's layout cuts them: a holder that says otherwise is wrong.</param>
    /// <param name="round">The round that names them.</param>
    /// <param name="providers">Who may hold them, or may want them at the same time; the likeliest first.</param>
    /// <param name="cancelled">Ends the search.</param>
    /// <returns>Null once all are held; else a failure, one that blames somebody if any does.</returns>
    public async Task<EffectOutcome.Failed?> FetchAsync(
        IEnumerable<BlobShape> shapes, long round, IEnumerable<MemberId> providers, CancellationToken cancelled)
    {
        List<PeerId> peers = [];
        foreach (MemberId provider in providers)
        {
            if (_neighbours.TryGetPeer(provider, out PeerId? peer) && !peers.Contains(peer))
            {
                peers.Add(peer);
            }
        }

        BlobFetchEnd[] ends = await _swarm.FetchAllAsync(shapes, round, peers, cancelled);
        return FailureOf(ends) is not BlobFetchEnd failure ? null
            : failure.Liar is not null && _neighbours.TryGetMember(failure.Liar, out Member? liar) ? new EffectOutcome.Failed(EffectFault.WrongDigest, liar.Id)
            : new EffectOutcome.Failed(EffectFault.Unavailable, null);
    }

    /// <summary>The failure to tell of. Whoever lied about one blob was dropped from the fetches of all, and those know of no lie.</summary>
    internal static BlobFetchEnd? FailureOf(BlobFetchEnd[] ends) =>
        Array.Find(ends, end => !end.IsHeld && end.Liar is not null) ?? Array.Find(ends, end => !end.IsHeld);

    private void Count(PeerId peer, BlobFault fault)
    {
        string name = _neighbours.NameOf(peer);
        NetworkLog.BlobFault(_logger, name, fault);

        // Whoever only went away has done nothing wrong.
        if (fault <= BlobFault.Stalled && _neighbours.TryGetMember(peer, out Member? member))
        {
            _board.Count(member.Id, fault);
        }
    }
}
