using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Noise;

namespace Tapestry.Benchmarks.Network;

/// <summary>What only our side can be asked: the machine's limits without a protocol, and what we hold.</summary>
internal sealed partial class NetworkPeer
{
    private const int RawWriteLength = 256 * 1024;
    private const int FrameLength = NoiseHandshake.MaximumMessageLength;
    private static readonly TimeSpan CipherTime = TimeSpan.FromSeconds(0.3);

    private readonly List<Libp2pHost> _hosts = [];

    private static Libp2pIdentity NewIdentity() => new(SigningKey.FromSeed(RandomNumberGenerator.GetBytes(SigningKey.SeedLength)));

    private static object Memory()
    {
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return new { allocated, heap = GC.GetTotalMemory(forceFullCollection: false), held = Environment.WorkingSet };
    }

    /// <summary>The speed of the cipher on frames as the channel seals them, in MB/s, on this core and with nothing else to do.</summary>
    private static object Cipher()
    {
        byte[] frame = new byte[FrameLength];
        using NoiseCipher sealing = new(frame.AsSpan(0, ChaCha20Poly1305Key.Length));
        double seal = Measure(() => sealing.Encrypt(default, frame.AsSpan(0, FrameLength - NoiseCipher.TagLength), frame));

        // The same frame again and again, by ciphers at the same nonce.
        using ChaCha20Poly1305Key key = new(new byte[ChaCha20Poly1305Key.Length]);
        byte[] nonce = new byte[ChaCha20Poly1305Key.NonceLength];
        byte[] plain = new byte[FrameLength - ChaCha20Poly1305Key.TagLength];
        key.Encrypt(nonce, plain, default, frame);
        double open = Measure(() => key.TryDecrypt(nonce, frame, default, plain));
        return new { seal, open };

        static double Measure(Action once)
        {
            long start = Stopwatch.GetTimestamp();
            long frames = 0;
            while (Stopwatch.GetElapsedTime(start) < CipherTime)
            {
                once();
                frames++;
            }

            return frames * FrameLength / 1e6 / Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }

    /// <summary>Takes one connection, reads it to its end and answers with one byte.</summary>
    private object RawListen()
    {
        TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        _ = ReceiveAsync();
        return new { port = ((IPEndPoint)listener.LocalEndpoint).Port };

        async Task ReceiveAsync()
        {
            using (listener)
            {
                using Socket socket = await listener.AcceptSocketAsync(_stopping);
                byte[] buffer = new byte[RawWriteLength];
                while (await socket.ReceiveAsync(buffer, _stopping) > 0)
                {
                }

                await socket.SendAsync(new byte[1], _stopping);
            }
        }
    }

    private async Task<object> RawSendAsync(int port, long bytes)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), _stopping);
        byte[] buffer = new byte[RawWriteLength];
        long start = Stopwatch.GetTimestamp();
        for (long sent = 0; sent < bytes; sent += buffer.Length)
        {
            await socket.SendAsync(buffer, _stopping);
        }

        socket.Shutdown(SocketShutdown.Send);
        await socket.ReceiveAsync(buffer, _stopping);
        return new { milliseconds = MillisecondsSince(start) };
    }

    /// <summary>Connects hosts of their own, as many peers would.</summary>
    private async Task<object> DialFromNewHostsAsync(Multiaddr address, int count)
    {
        for (int i = 0; i < count; i++)
        {
            Libp2pHost host = new(NewIdentity(), new Libp2pHostOptions { Security = [_security], Protects = static _ => true });
            _hosts.Add(host);
            PeerConnection connection = await host.DialAsync(address, _stopping);
            await connection.Identified;
        }

        return new { count };
    }
}
