using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FluentAssertions;
using Tapestry.Libp2p.Noise;
using Tapestry.Libp2p.Wire;
using Tapestry.Libp2p.Yamux;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

/// <summary>What a protocol says first leaves with its proposal.</summary>
public sealed class FirstBytesTests
{
    private const string Protocol = "/test/first/1";

    private static readonly byte[] First = Encoding.ASCII.GetBytes("said first");

    [Fact]
    public async Task They_are_there_before_the_proposal_is_answered()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        using Libp2pIdentity bob = Hosts.Identity(2);
        await using RawConnection raw = new(TcpTransport.StreamOf(await TcpTransport.DialAsync(alice.ListenAddresses[0], Hosts.Patience)));
        await MultistreamSelect.ProposeAsync(raw, SecurityProtocol.Noise.Id, Hosts.Patience);
        await using NoiseChannel channel = await NoiseUpgrade.RunAsync(raw, bob, isDialer: true, alice.PeerId, [YamuxConnection.ProtocolId], Hosts.Patience);
        await using YamuxConnection muxed = YamuxConnection.Start(channel, channel.Remote, isDialler: true, new YamuxLimits(), TimeProvider.System);

        PeerConnection atAlice = await alice.ConnectionToAsync(bob.PeerId);
        Task<Libp2pStream> opening = atAlice.OpenStreamAsync(Protocol, Say, Hosts.Patience);
        Libp2pStream atBob = await ReceiveAsync(muxed);
        opening.IsCompleted.Should().BeFalse("nothing was answered");
        MultistreamSelect.WriteProposal(atBob.Output, Protocol);
        await atBob.Output.FlushAsync(Hosts.Patience);

        (await opening).Protocol.Should().Be(Protocol);
    }

    [Fact]
    public async Task A_handler_reads_them_and_what_follows()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        TaskCompletionSource<string> read = new();
        alice.Handle(Protocol, async (stream, _, ended) =>
        {
            byte[] bytes = new byte[2 * First.Length];
            await LengthPrefix.ReadExactlyAsync(stream.Input, bytes, ended);
            read.SetResult(Encoding.ASCII.GetString(bytes));
        });

        PeerConnection connection = await bob.ConnectAsync(alice);
        await using Libp2pStream stream = await connection.OpenStreamAsync(Protocol, Say, Hosts.Patience);
        await stream.Output.WriteAsync(First, Hosts.Patience);

        (await read.Task.WaitAsync(Hosts.Patience)).Should().Be("said firstsaid first");
    }

    [Fact]
    public async Task A_peer_that_does_not_speak_the_protocol_drops_them_and_says_so()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        PeerConnection connection = await bob.ConnectAsync(alice);

        Func<Task> opening = () => connection.OpenStreamAsync(Protocol, Say, Hosts.Patience);

        (await opening.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.ProtocolNotSupported);
        (await bob.PingAsync(alice.PeerId, Hosts.Patience)).Should().BePositive("the connection goes on");
    }

    private static void Say(PipeWriter output) => output.Write(First);

    /// <summary>The stream on which the protocol was proposed, once the first bytes are there too; nothing is answered on any.</summary>
    private static async Task<Libp2pStream> ReceiveAsync(YamuxConnection muxed)
    {
        while (await muxed.AcceptStreamAsync(Hosts.Patience) is Libp2pStream stream)
        {
            string proposed = await ReadUntilAsync(stream.Input, said => said.Count(character => character == '\n') == 2);
            if (proposed.Contains(Protocol, StringComparison.Ordinal))
            {
                await ReadUntilAsync(stream.Input, rest => rest.EndsWith("said first", StringComparison.Ordinal));
                return stream;
            }
        }

        throw new InvalidOperationException("The connection ended without the stream.");
    }

    private static async Task<string> ReadUntilAsync(PipeReader input, Predicate<string> isEnough)
    {
        CancellationToken late = Hosts.Patience;
        while (true)
        {
            ReadResult read = await input.ReadAsync(late);
            string said = Encoding.ASCII.GetString(read.Buffer);
            bool isRead = isEnough(said);
            input.AdvanceTo(read.Buffer.Start, isRead ? read.Buffer.Start : read.Buffer.End);
            if (isRead)
            {
                return said;
            }

            read.IsCompleted.Should().BeFalse("more has to come");
        }
    }
}
