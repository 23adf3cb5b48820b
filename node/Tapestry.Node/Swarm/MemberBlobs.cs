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

    /// <summary>Makes sure that a blob is held.</summary>
    /// <param name="shape">Its name, and how the plan's layout cuts it: a holder that says otherwise is wrong.</param>
    /// <param name="round">The round that names it.</param>
    /// <param name="providers">Who may hold it, or may want it at the same time; the likeliest first.</param>
    /// <param name="cancelled">Ends the search.</param>
    /// <returns>Null once it is held; else why it is not, blaming whoever served wrong bytes.</returns>
    public async Task<EffectOutcome.Failed?> FetchAsync(
        BlobShape shape, long round, IEnumerable<MemberId> providers, CancellationToken cancelled)
    {
        List<PeerId> peers = [];
        foreach (MemberId provider in providers)
        {
            if (_neighbours.TryGetPeer(provider, out PeerId? peer) && !peers.Contains(peer))
            {
                peers.Add(peer);
            }
        }

        BlobFetchEnd end = await _swarm.FetchAsync(shape, round, peers, cancelled);
        return end.IsHeld ? null
            : end.Liar is not null && _neighbours.TryGetMember(end.Liar, out Member? liar) ? new EffectOutcome.Failed(EffectFault.WrongDigest, liar.Id)
            : new EffectOutcome.Failed(EffectFault.Unavailable, null);
    }

    /// <summary>Brings several blobs at once.</summary>
    /// <returns>Null once all are held; else the first failure, in their order.</returns>
    public async Task<EffectOutcome.Failed?> FetchAsync(
        IEnumerable<BlobShape> shapes, long round, IReadOnlyCollection<MemberId> providers, CancellationToken cancelled)
    {
        EffectOutcome.Failed?[] ends = await Task.WhenAll(shapes.Select(shape => FetchAsync(shape, round, providers, cancelled)));
        return Array.Find(ends, end => end is not null);
    }

    private void Count(PeerId peer, BlobFault fault)
    {
        string name = _neighbours.NameOf(peer);
        NetworkLog.BlobFault(_logger, name, fault);

        // Whoever only went away has done nothing wrong.
        if (fault <= BlobFault.Stalled)
        {
            _board.Count($"{name}: {fault}");
        }
    }
}
