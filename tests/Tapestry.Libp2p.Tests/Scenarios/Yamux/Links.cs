using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;

namespace Tapestry.Libp2p.Tests.Scenarios.Yamux;

/// <summary>Two ends of a channel, in memory or over a socket.</summary>
internal static class Links
{
    /// <summary>Two pipes, bounded as a socket is.</summary>
    public static (IDuplexPipe Dialler, IDuplexPipe Listener) InMemory()
    {
        PipeOptions options = new(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 128 * 1024, useSynchronizationContext: false);
        Pipe there = new(options);
        Pipe back = new(options);
        return (new Duplex(back.Reader, there.Writer), new Duplex(there.Reader, back.Writer));
    }

    /// <summary>As <see cref="InMemory"/>, but bytes arrive in pieces of random length, so headers are cut anywhere.</summary>
    public static (IDuplexPipe Dialler, IDuplexPipe Listener) Choppy(int seed)
    {
        (IDuplexPipe dialler, IDuplexPipe nearHop) = InMemory();
        (IDuplexPipe farHop, IDuplexPipe listener) = InMemory();
        _ = ChopAsync(nearHop.Input, farHop.Output, new Random(seed));
        _ = ChopAsync(farHop.Input, nearHop.Output, new Random(seed + 1));
        return (dialler, listener);
    }

    /// <summary>A TCP connection on loopback.</summary>
    public static async Task<(IDuplexPipe Dialler, IDuplexPipe Listener)> SocketsAsync()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        TcpClient dialler = new() { NoDelay = true };
        await dialler.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
        TcpClient accepted = await listener.AcceptTcpClientAsync();
        accepted.NoDelay = true;
        return (Over(dialler), Over(accepted));
    }

    private static Duplex Over(TcpClient client)
    {
        NetworkStream stream = client.GetStream();
        return new Duplex(
            PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 64 * 1024, leaveOpen: true)),
            PipeWriter.Create(stream, new StreamPipeWriterOptions(minimumBufferSize: 64 * 1024, leaveOpen: true)),
            client);
    }

    private static async Task ChopAsync(PipeReader from, PipeWriter to, Random random)
    {
        bool ended = false;
        while (!ended)
        {
            ReadResult read = await from.ReadAsync();
            ReadOnlySequence<byte> left = read.Buffer;
            while (!left.IsEmpty && !ended)
            {
                long bytes = Math.Min(left.Length, random.Next(3) == 0 ? random.Next(1, 20) : random.Next(1, 40_000));
                foreach (ReadOnlyMemory<byte> segment in left.Slice(0, bytes))
                {
                    to.Write(segment.Span);
                }

                ended = (await to.FlushAsync()).IsCompleted;
                left = left.Slice(bytes);
            }

            from.AdvanceTo(read.Buffer.End);
            ended |= read.IsCompleted;
        }

        await from.CompleteAsync();
        await to.CompleteAsync();
    }

    private sealed class Duplex(PipeReader input, PipeWriter output, TcpClient? client = null) : IDuplexPipe, IAsyncDisposable
    {
        public PipeReader Input { get; } = input;

        public PipeWriter Output { get; } = output;

        public ValueTask DisposeAsync()
        {
            client?.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
