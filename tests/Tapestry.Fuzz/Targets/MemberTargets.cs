using System.Text;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Node.Network;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;
using Tapestry.Protocol.Tests;

namespace Tapestry.Fuzz.Targets;

/// <summary>What daemons exchange on streams beside the messages of the rules: greetings, questions, lists, and the peer file.</summary>
internal static class MemberTargets
{
    private const int SampleSeed = 13;

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        FuzzTarget.Of<Greeting>("greeting", Greeting.TryRead, greeting => greeting.ToArray(), Greetings),
        FuzzTarget.Of<BlobRequest>("blob-request", BlobRequest.TryRead, request => request.ToArray(), BlobRequests),
        FuzzTarget.Of<BlobAnswer>("blob-answer", BlobAnswer.TryRead, answer => answer.ToArray(), BlobAnswers).Reaching(typeof(DigestList), nameof(DigestList.Read)),
        FuzzTarget.Of<PeerQuestion>("peer-question", PeerQuestion.TryRead, question => question.ToArray(), PeerQuestions) with { LengthMax = PeerQuestion.BytesMax + 100 },
        new FuzzTarget("root-list", Decoders.Of(typeof(RootLists), nameof(RootLists.TryParse)), ReadRoots, RootListBytes),
        new FuzzTarget("peer-list", [], ReadPeers, PeerLists) { MemoryMax = static length => (64 * 1024) + (200L * length) },
    ];

    private static Digest[] Roots { get; } = [.. Enumerable.Range(0, 3).Select(static number => Digest.Of([(byte)number]))];

    private static object? ReadRoots(ReadOnlySpan<byte> input) =>
        RootLists.TryParse(input, Protocol.Aggregation.Roots.OfSlices(Roots), out Digest[] roots) ? roots : null;

    private static object? ReadPeers(ReadOnlySpan<byte> input)
    {
        try
        {
            return PeerList.Parse(Encoding.UTF8.GetString(input).Split('\n'), "peers.txt");
        }
        catch (CliException)
        {
            return null;
        }
    }

    private static IEnumerable<byte[]> Greetings()
    {
        Samples samples = new(SampleSeed);
        yield return new Greeting(samples.Digest(), samples.Digest()).ToArray();
    }

    private static IEnumerable<byte[]> BlobRequests() =>
    [
        BlobRequest.Ask(new Samples(SampleSeed).Digest()).ToArray(),
        new BlobRequest(BlobRequestKind.Hashes, default, -1, 1).ToArray(),
        new BlobRequest(BlobRequestKind.Chunks, default, 7, 3).ToArray(),
        new BlobRequest(BlobRequestKind.Cancel, default, 0, 1).ToArray(),
    ];

    private static IEnumerable<byte[]> BlobAnswers() =>
    [
        new BlobAnswer.Head(BlobExtent.Part, 150_000, 65_536, new byte[] { 5 }).ToArray(),
        new BlobAnswer.Head(BlobExtent.Whole, 150_000, 65_536, default).ToArray(),
        new BlobAnswer.Have([2, 0]).ToArray(),
        new BlobAnswer.Hashes(0, Roots).ToArray(),
    ];

    private static IEnumerable<byte[]> PeerQuestions()
    {
        yield return new PeerQuestion([]).ToArray();
        yield return new PeerQuestion(Samples.Keys(4).Select(static (key, index) => KeyValuePair.Create(key.PublicKey, (ulong)index))).ToArray();
    }

    private static IEnumerable<byte[]> RootListBytes() => [[.. Roots.SelectMany(static root => root.ToArray())]];

    private static IEnumerable<byte[]> PeerLists() =>
    [
        Encoding.UTF8.GetBytes($"# members\n/ip4/192.0.2.7/tcp/4610/p2p/{IdentityTargets.Peer}\n\n/dns4/b.example.org/tcp/4610/p2p/{IdentityTargets.Peer} # b\n"),
    ];
}
