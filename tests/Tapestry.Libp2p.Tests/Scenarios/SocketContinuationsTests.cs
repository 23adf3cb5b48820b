using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

/// <summary>Where callers go on. It can fail only where sockets are served by the threads that hear of them: <c>tests/run</c> does so too.</summary>
public sealed class SocketContinuationsTests
{
    [Fact]
    public async Task Whoever_dials_or_waits_for_an_end_goes_on_on_the_thread_pool_and_may_block()
    {
        await using Libp2pHost alice = Hosts.Start(1);
        await using Libp2pHost bob = Hosts.Start(2);
        await using Libp2pHost carol = Hosts.Start(3);
        Multiaddr alicesAddress = alice.ListenAddresses[0].WithPeer(alice.PeerId);
        Multiaddr wrongAddress = alice.ListenAddresses[0].WithPeer(carol.PeerId);

        bool[] onPool = await Task.Run(async () =>
        {
            await FluentActions.Awaiting(() => bob.DialAsync(wrongAddress, Hosts.Patience)).Should().ThrowAsync<Libp2pException>();
            bool afterFailure = Thread.CurrentThread.IsThreadPoolThread;
            PeerConnection connection = await bob.DialAsync(alicesAddress, Hosts.Patience);
            bool afterSuccess = Thread.CurrentThread.IsThreadPoolThread;
            Task ending = Task.Run(async () => await (await alice.ConnectionToAsync(bob.PeerId)).CloseAsync());
            await connection.Completion;
            bool afterEnd = Thread.CurrentThread.IsThreadPoolThread;
            await ending;
            return new[] { afterFailure, afterSuccess, afterEnd };
        }).WaitAsync(Hosts.Patience);

        onPool.Should().Equal(true, true, true);
    }
}
