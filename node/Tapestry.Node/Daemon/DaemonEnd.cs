using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Tapestry.Node.Daemon;

/// <summary>Why a daemon stops by itself; the first reason counts.</summary>
/// <param name="lifetime">The host to stop.</param>
/// <param name="logger">Where the reason is logged.</param>
internal sealed class DaemonEnd(IHostApplicationLifetime lifetime, ILogger<DaemonEnd> logger)
{
    private Exception? _error;

    /// <summary>The error that stopped the daemon; null when it was asked to stop.</summary>
    public Exception? Error => Volatile.Read(ref _error);

    /// <summary>Stops the daemon with an error.</summary>
    public void Fail(Exception error)
    {
        if (Interlocked.CompareExchange(ref _error, error, null) is null)
        {
            DaemonLog.Failed(logger, error);
            lifetime.StopApplication();
        }
    }
}
