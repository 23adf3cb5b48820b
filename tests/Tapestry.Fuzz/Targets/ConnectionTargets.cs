using System.Buffers.Binary;
using System.IO.Pipelines;
using Tapestry.Crypto;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Noise;
using Tapestry.Libp2p.Yamux;

namespace Tapestry.Fuzz.Targets;

/// <summary>What makes a connection out of a socket: the Noise handshake, its payload and frames, and yamux.</summary>
internal static class ConnectionTargets
{
    private static readonly string[] Muxers = [YamuxConnection.ProtocolId];

    /// <summary>The targets.</summary>
    public static IEnumerable<FuzzTarget> All =>
    [
        new FuzzTarget("noise-payload", Decoders.Of(typeof(NoisePayload), nameof(NoisePayload.Verify)), ReadPayload, Payloads) { Weight = 4 },
        new FuzzTarget("noise-handshake", [], Shake, Handshakes)
        {
            MemoryMax = static length => (64 * 1024) + (20L * length),
            Weight = 1,
        },
        new FuzzTarget("noise-frames", [], ReadFrames, Frames)
        {
            // The block that the socket fills, and room for one more frame.
            MemoryMax = static length => (400 * 1024) + (20L * length),
            Weight = 2,
        },
        new FuzzTarget("yamux-header", Decoders.Of(typeof(YamuxHeader), nameof(YamuxHeader.Read)), ReadHeader, () => YamuxInputs.Headers) { LengthMax = 16 },
        new FuzzTarget("yamux-session", [], YamuxInputs.RunSession, () => YamuxInputs.Sessions) { MemoryMax = static length => (32 * 1024) + (100L * length) },
        new FuzzTarget("yamux-connection", [], YamuxInputs.RunConnection, () => YamuxInputs.Connections)
        {
            // Two tasks, their pipes, and those of each stream that twelve bytes open.
            MemoryMax = static length => (256 * 1024) + (1000L * length),
            Weight = 1,
        },
    ];

    private static X25519Key Key(byte number)
    {
        byte[] secret = new byte[X25519Key.Length];
        secret.AsSpan().Fill(number);
        return X25519Key.FromSecret(secret);
    }

    private static object? ReadPayload(ReadOnlySpan<byte> input)
    {
        using X25519Key key = Key(3);
        return NoisePayload.Verify(input, key.PublicKey, out PeerId? peer, out _) == Libp2pFault.None ? peer : null;
    }

    private static IEnumerable<byte[]> Payloads()
    {
        using X25519Key key = Key(3);
        using Libp2pIdentity identity = IdentityTargets.Identity(3);
        yield return NoisePayload.Write(identity, key.PublicKey, Muxers);
    }

    /// <summary>The first byte says whether we dial; then come the remote's messages, each after its length.</summary>
    private static object? Shake(ReadOnlySpan<byte> input)
    {
        if (input.IsEmpty)
        {
            return null;
        }

        bool isDialer = (input[0] & 1) == 1;
        input = input[1..];
        using X25519Key key = Key(3);
        using Libp2pIdentity identity = IdentityTargets.Identity(3);
        using NoiseHandshake handshake = new(isDialer, default, key, Key(4));
        byte[] payload = NoisePayload.Write(identity, key.PublicKey, Muxers);
        PeerId? remote = null;
        for (int message = 0; !handshake.IsComplete; message++)
        {
            if (handshake.IsOurTurn)
            {
                if (handshake.WriteMessage(message == 0 ? default : payload, new byte[NoiseHandshake.LengthBound(payload.Length)], out _) != Libp2pFault.None)
                {
                    return null;
                }

                continue;
            }

            if (!TryTake(ref input, out ReadOnlySpan<byte> theirs))
            {
                return null;
            }

            byte[] plain = new byte[theirs.Length];
            if (handshake.ReadMessage(theirs, plain, out int length) != Libp2pFault.None
                || (message > 0 && NoisePayload.Verify(plain.AsSpan(0, length), handshake.RemoteStaticKey, out remote, out _) != Libp2pFault.None))
            {
                return null;
            }
        }

        (NoiseCipher send, NoiseCipher receive) = handshake.Split();
        send.Dispose();
        receive.Dispose();
        return remote;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> input, out ReadOnlySpan<byte> message)
    {
        message = default;
        if (input.Length < sizeof(ushort) || input.Length - sizeof(ushort) < BinaryPrimitives.ReadUInt16BigEndian(input))
        {
            return false;
        }

        message = input.Slice(sizeof(ushort), BinaryPrimitives.ReadUInt16BigEndian(input));
        input = input[(sizeof(ushort) + message.Length)..];
        return true;
    }

    private static byte[] AfterLength(ReadOnlySpan<byte> message)
    {
        byte[] bytes = new byte[sizeof(ushort) + message.Length];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)message.Length);
        message.CopyTo(bytes.AsSpan(sizeof(ushort)));
        return bytes;
    }

    /// <summary>What the other side of <see cref="Shake"/> says, for either role.</summary>
    private static IEnumerable<byte[]> Handshakes() => [Handshake(weDial: false), Handshake(weDial: true)];

    private static byte[] Handshake(bool weDial)
    {
        using X25519Key ourKey = Key(3);
        using X25519Key theirKey = Key(5);
        using Libp2pIdentity we = IdentityTargets.Identity(3);
        using Libp2pIdentity they = IdentityTargets.Identity(5);
        using NoiseHandshake ours = new(weDial, default, ourKey, Key(4));
        using NoiseHandshake theirs = new(!weDial, default, theirKey, Key(6));
        List<byte> said = [weDial ? (byte)1 : (byte)0];
        for (int message = 0; !ours.IsComplete; message++)
        {
            NoiseHandshake writer = ours.IsOurTurn ? ours : theirs;
            byte[] payload = message == 0 ? [] : writer == ours ? NoisePayload.Write(we, ourKey.PublicKey, Muxers) : NoisePayload.Write(they, theirKey.PublicKey, Muxers);
            byte[] bytes = new byte[NoiseHandshake.LengthBound(payload.Length)];
            writer.WriteMessage(payload, bytes, out int length);
            (writer == ours ? theirs : ours).ReadMessage(bytes.AsSpan(0, length), new byte[length], out _);
            if (writer == theirs)
            {
                said.AddRange(AfterLength(bytes.AsSpan(0, length)));
            }
        }

        return [.. said];
    }

    private static object? ReadFrames(ReadOnlySpan<byte> input)
    {
        using NoiseReader reader = new(new PieceStream(input.ToArray()), new NoiseCipher(new byte[32]), [], static () => { });
        try
        {
            while (true)
            {
                ReadResult read = reader.ReadAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
                long length = read.Buffer.Length;
                reader.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    return length;
                }
            }
        }
        catch (Libp2pException)
        {
            return null;
        }
    }

    private static IEnumerable<byte[]> Frames()
    {
        using NoiseCipher cipher = new(new byte[32]);
        List<byte> frames = [];
        foreach (int length in (int[])[0, 1, 300])
        {
            byte[] frame = new byte[length + NoiseCipher.TagLength];
            cipher.Encrypt(default, new byte[length], frame);
            frames.AddRange(AfterLength(frame));
        }

        yield return [.. frames];
    }

    private static object? ReadHeader(ReadOnlySpan<byte> input)
    {
        if (input.Length < YamuxHeader.Bytes || YamuxHeader.Read(input, out YamuxHeader header) != YamuxFault.None)
        {
            return null;
        }

        byte[] encoded = new byte[YamuxHeader.Bytes];
        header.Write(encoded);
        return encoded.AsSpan().SequenceEqual(input[..YamuxHeader.Bytes]) ? header : throw new InvalidDataException($"{header} was read from other bytes.");
    }
}
