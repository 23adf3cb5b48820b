using System.Text.Json;
using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary><c>tapestry peer fetch</c>: from holders that keep to the protocol, break off and lie.</summary>
public sealed class PeerFetchTests : IDisposable
{
    private const int ChunkBytes = 4 * 1024;

    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _data = [.. Enumerable.Range(0, (40 * ChunkBytes) + 17).Select(index => (byte)(index * 7 / 3 % 251))];

    private string File => _folder.At("fetched");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_blob_comes_from_several_holders_into_a_file()
    {
        await using SwarmPeer one = NewPeer(1);
        await using SwarmPeer other = NewPeer(2);
        BlobShape shape = one.Hold(_data, ChunkBytes);
        other.Hold(_data, ChunkBytes);

        JsonElement fetched = await PeerVerb.RunAsync(
            ExitCode.Ok, "peer", "fetch", shape.Root.ToString(), AddressOf(one), AddressOf(other), "--output", File);

        fetched.GetProperty("bytes").GetInt64().Should().Be(_data.Length);
        fetched.GetProperty("chunks").GetInt32().Should().Be(41);
        fetched.GetProperty("faults").GetArrayLength().Should().Be(0);
        System.IO.File.ReadAllBytes(File).Should().Equal(_data);
        Directory.GetFileSystemEntries(_folder.Path).Should().Equal(File);
    }

    [Fact]
    public async Task A_holder_that_lies_is_named_and_another_gives_the_rest()
    {
        await using HandProvider liar = new(1, _data, ChunkBytes);
        liar.Chunk = (_, chunk) => [.. chunk[..^1], (byte)(chunk[^1] ^ 1)];
        await using SwarmPeer honest = NewPeer(2, uploadBytesPerSecond: 100_000);
        BlobShape shape = honest.Hold(_data, ChunkBytes);

        JsonElement fetched = await PeerVerb.RunAsync(
            ExitCode.Ok, "peer", "fetch", shape.Root.ToString(), liar.Host.ListenAddresses[0].ToString(), AddressOf(honest), "--output", File);

        fetched.GetProperty("faults")[0].GetString().Should().Be($"{liar.Id}: WrongChunk");
        System.IO.File.ReadAllBytes(File).Should().Equal(_data);
    }

    [Fact]
    public async Task A_length_that_is_not_the_blobs_costs_a_claim_and_no_fetch()
    {
        await using HandProvider liar = new(1, _data, ChunkBytes);
        liar.Opening = () => [new BlobAnswer.Head(BlobExtent.Whole, 7 * ChunkBytes, ChunkBytes, default).ToArray()];
        await using SwarmPeer honest = NewPeer(2);
        BlobShape shape = honest.Hold(_data, ChunkBytes);

        await PeerVerb.RunAsync(
            ExitCode.Ok, "peer", "fetch", shape.Root.ToString(), liar.Host.ListenAddresses[0].ToString(), AddressOf(honest), "--output", File, "--timeout-seconds", "20");

        System.IO.File.ReadAllBytes(File).Should().Equal(_data);
    }

    [Fact]
    public async Task What_nobody_gives_whole_is_an_error_and_the_next_attempt_goes_on()
    {
        await using HandProvider breaking = new(1, _data, ChunkBytes);
        breaking.Chunk = (index, chunk) => index == 30 ? null : chunk;
        string address = breaking.Host.ListenAddresses[0].ToString();
        string root = MerkleTree.Root([.. _data.Chunk(ChunkBytes).Select(chunk => MerkleTree.LeafHash(chunk))]).ToString();

        JsonElement error = await PeerVerb.RunAsync(ExitCode.Failed, "peer", "fetch", root, address, "--output", File, "--timeout-seconds", "5");
        error.GetProperty("code").GetString().Should().Be("not-fetched");
        System.IO.File.Exists(File).Should().BeFalse();

        int before = breaking.ChunksSent;
        breaking.Chunk = (_, chunk) => chunk;
        await PeerVerb.RunAsync(ExitCode.Ok, "peer", "fetch", root, address, "--output", File);
        (breaking.ChunksSent - before).Should().Be(1, "what was verified before is not fetched again");
        System.IO.File.ReadAllBytes(File).Should().Equal(_data);
    }

    [Fact]
    public async Task Errors_say_what_is_wrong_and_what_to_do()
    {
        await using SwarmPeer peer = NewPeer(1);
        string nothing = Digest.Of("nothing"u8).ToString();

        await FailAsync(ExitCode.Failed, "not-held", nothing, AddressOf(peer));
        await FailAsync(ExitCode.Usage, "digest", "12ab", AddressOf(peer));
        await FailAsync(ExitCode.Usage, "address", nothing, "/ip4/127.0.0.1/tcp/4001");
        await FailAsync(ExitCode.Unreachable, "unreachable", nothing, "/ip4/127.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN");
        System.IO.File.WriteAllText(File, "mine");
        await FailAsync(ExitCode.Usage, "output-exists", nothing, AddressOf(peer));
        System.IO.File.ReadAllText(File).Should().Be("mine");
    }

    private static SwarmPeer NewPeer(int number, long uploadBytesPerSecond = 0) =>
        new(number, new SwarmOptions(uploadBytesPerSecond, 0, new SwarmLimits(), TimeProvider.System));

    private static string AddressOf(SwarmPeer peer) => peer.Host.ListenAddresses[0].ToString();

    private async Task FailAsync(ExitCode exitCode, string code, params string[] arguments)
    {
        JsonElement error = await PeerVerb.RunAsync(exitCode, ["peer", "fetch", .. arguments, "--output", File, "--timeout-seconds", "20"]);
        error.GetProperty("code").GetString().Should().Be(code);
        error.GetProperty("hint").GetString().Should().NotBeEmpty();
    }
}
