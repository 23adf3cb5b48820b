using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Tapestry.Crypto;

namespace Tapestry.Libp2p.Noise;

/// <summary>Runs the Noise handshake over a stream, and proves identities both ways.</summary>
/// <remarks>libp2p/specs, noise/README.md. Messages are preceded by their length, two bytes, big-endian. The prologue is empty.</remarks>
internal static class NoiseUpgrade
{
    private const int HeaderLength = sizeof(ushort);

    // Payload, two keys and two tags.
    private static readonly int MaximumHandshakeLength = NoiseHandshake.LengthBound(NoisePayload.MaximumLength);

    /// <summary>Turns a raw connection into a channel.</summary>
    /// <param name="raw">The stream below, and what was read from it beyond earlier negotiation.</param>
    /// <param name="identity">Who we are.</param>
    /// <param name="isDialer">Whether we dialled, and so speak first.</param>
    /// <param name="expected">The only peer that will do; null when anyone may call.</param>
    /// <param name="muxers">The muxers that we speak, the preferred first.</param>
    /// <param name="cancelled">Ends the handshake; the stream is then the caller's to close.</param>
    /// <exception cref="Libp2pException">Any fault of the remote, by name.</exception>
    internal static async Task<NoiseChannel> RunAsync(
        RawConnection raw, Libp2pIdentity identity, bool isDialer, PeerId? expected, IReadOnlyList<string> muxers, CancellationToken cancelled)
    {
        using X25519Key staticKey = NewKey();
        using NoiseHandshake handshake = new(isDialer, prologue: default, staticKey, NewKey());
        byte[] ourPayload = NoisePayload.Write(identity, staticKey.PublicKey, muxers);
        PeerId? remote = null;
        IReadOnlyList<string> theirMuxers = [];
        for (int message = 0; !handshake.IsComplete; message++)
        {
            if (handshake.IsOurTurn)
            {
                // The first message is not encrypted, so it carries nothing.
                await WriteAsync(raw.Output, handshake, message == 0 ? default : ourPayload, cancelled);
                continue;
            }

            byte[] payload = await ReadAsync(raw.Input, handshake, cancelled);
            if (message > 0)
            {
                remote = Prove(payload, handshake.RemoteStaticKey, expected, out theirMuxers);
            }
        }

        Debug.Assert(remote is not null, "XX has a static key, and so an identity, in each direction.");
        string? muxer = isDialer ? EarlyMuxer.Choose(muxers, theirMuxers) : EarlyMuxer.Choose(theirMuxers, muxers);
        return new NoiseChannel(raw.Stream, remote, muxer, handshake.Split(), raw.TakeReceived());
    }

    private static PeerId Prove(ReadOnlySpan<byte> payload, ReadOnlySpan<byte> staticKey, PeerId? expected, out IReadOnlyList<string> muxers)
    {
        Libp2pFault fault = NoisePayload.Verify(payload, staticKey, out PeerId? remote, out muxers);
        if (fault != Libp2pFault.None)
        {
            throw new Libp2pException(fault, $"The remote did not prove its identity: {fault}.");
        }

        return expected is null || remote == expected
            ? remote!
            : throw new Libp2pException(Libp2pFault.WrongPeer, $"The remote is {remote}, not {expected}: the address is out of date, or someone else answers there.");
    }

    private static async ValueTask WriteAsync(PipeWriter output, NoiseHandshake handshake, ReadOnlyMemory<byte> payload, CancellationToken cancelled)
    {
        int bound = HeaderLength + NoiseHandshake.LengthBound(payload.Length);
        Libp2pFault fault = WriteTo(output.GetSpan(bound)[..bound], out int length);
        if (fault != Libp2pFault.None)
        {
            throw new Libp2pException(fault, $"The Noise handshake cannot go on: {fault}.");
        }

        output.Advance(length);
        await output.FlushAsync(cancelled);

        Libp2pFault WriteTo(Span<byte> frame, out int frameLength)
        {
            Libp2pFault written = handshake.WriteMessage(payload.Span, frame[HeaderLength..], out int messageLength);
            BinaryPrimitives.WriteUInt16BigEndian(frame, (ushort)messageLength);
            frameLength = HeaderLength + messageLength;
            return written;
        }
    }

    private static async ValueTask<byte[]> ReadAsync(PipeReader input, NoiseHandshake handshake, CancellationToken cancelled)
    {
        ReadResult header = await input.ReadAtLeastAsync(HeaderLength, cancelled);
        int length = LengthOf(header.Buffer);
        if (length > MaximumHandshakeLength)
        {
            throw new Libp2pException(Libp2pFault.TooLarge, $"A Noise handshake message of {length} bytes; at most {MaximumHandshakeLength} are read.");
        }

        input.AdvanceTo(header.Buffer.Start);
        ReadResult frame = await input.ReadAtLeastAsync(HeaderLength + length, cancelled);
        if (frame.Buffer.Length < HeaderLength + length)
        {
            throw new Libp2pException(Libp2pFault.ConnectionLost, "The connection ended inside the Noise handshake.");
        }

        ReadOnlySequence<byte> message = frame.Buffer.Slice(HeaderLength, length);
        byte[] payload = new byte[length];
        Libp2pFault fault = handshake.ReadMessage(message.ToArray(), payload, out int payloadLength);
        input.AdvanceTo(message.End);
        return fault == Libp2pFault.None
            ? payload[..payloadLength]
            : throw new Libp2pException(fault, $"The Noise handshake failed: {fault}.");
    }

    private static int LengthOf(in ReadOnlySequence<byte> buffer)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        if (buffer.Length < HeaderLength)
        {
            throw new Libp2pException(Libp2pFault.ConnectionLost, "The connection ended inside the Noise handshake.");
        }

        buffer.Slice(0, HeaderLength).CopyTo(header);
        return BinaryPrimitives.ReadUInt16BigEndian(header);
    }

    private static X25519Key NewKey()
    {
        Span<byte> secret = stackalloc byte[X25519Key.Length];
        RandomNumberGenerator.Fill(secret);
        X25519Key key = X25519Key.FromSecret(secret);
        CryptographicOperations.ZeroMemory(secret);
        return key;
    }
}
