namespace Tapestry.Libp2p;

/// <summary>On which thread the platform goes on when a socket is ready. It is one choice for the process, and so the executable's.</summary>
public static class SocketContinuations
{
    // Read by System.Net.Sockets when the first socket waits; there is no other way to say it.
    private const string Variable = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>Lets the thread that hears of a socket's readiness serve it, instead of waking one of the thread pool.</summary>
    /// <remarks>
    /// <para>Call it before the first socket is used. Where the environment has chosen already, that choice stays. Programs that
    /// this one starts inherit it.</para>
    /// <para>A change of threads costs more than receiving what has come (specs/experiments/network-speed.md). There is a
    /// thread a core for all sockets, so whatever never has to wait leaves it after two milliseconds. Handlers of streams run on
    /// the thread pool as ever and may take their time, and so may whoever dials; <see cref="Libp2pHostOptions.Admits"/> and the
    /// events of a host must not block, and neither must continuations of other users of sockets in the process.</para>
    /// </remarks>
    public static void RunInline()
    {
        if (Environment.GetEnvironmentVariable(Variable) is null)
        {
            Environment.SetEnvironmentVariable(Variable, "1");
        }
    }
}
