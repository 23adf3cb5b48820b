using Tapestry.Testing;
using Xunit;

namespace Tapestry.Libp2p.Tests.Interop;

/// <summary>One js-libp2p process for the tests of a class.</summary>
public sealed class JsPeerFixture : IAsyncLifetime
{
    /// <summary>The peer.</summary>
    public ForeignPeer Js { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(60));
        Js = await ForeignPeer.StartAsync(late.Token);
    }

    public async Task DisposeAsync()
    {
        if (Js is not null)
        {
            await Js.DisposeAsync();
        }
    }
}
