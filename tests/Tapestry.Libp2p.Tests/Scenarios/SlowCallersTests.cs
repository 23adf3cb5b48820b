using System.Buffers.Binary;
using System.Net.Sockets;
using FluentAssertions;
using Tapestry.Libp2p.Noise;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

/// <summary>Callers that begin a handshake and do not end it: one deadline ends each, in whatever step it stopped.</summary>
public sealed class SlowCallersTests
{
    // A record of TLS announces more than it brings; so do a message of Noise and a line of multistream-select.
    [Theory]
    [InlineData(null, "13")]
    [InlineData(null, "132f6d756c746973747265616d2f312e302e300a072f6e6f")]
    [InlineData("/noise", "")]
    [InlineData("/noise", "0020aabb")]
    [InlineData("/tls/1.0.0", "")]
    [InlineData("/tls/1.0.0", "160301020001")]
    public async Task A_handshake_ends_at_its_deadline_in_every_step(string? agreed, string hex)
    {
        ManualTime time = new();
        TaskCompletionSource<Libp2pException> refused = new();
        await using Libp2pHost alice = Hosts.Start(1, options => options with { Time = time });
        alice.InboundRefused += (_, refusal) => refused.TrySetResult(refusal);
        await using RawConnection loris = new(TcpTransport.StreamOf(await TcpTransport.DialAsync(alice.ListenAddresses[0].WithoutPeer(), Hosts.Patience)));

        if (agreed is null)
        {
            // The greeting shows that the handshake and its deadline have begun.
            await loris.Input.ReadAsync(Hosts.Patience);
        }
        else
        {
            await MultistreamSelect.ProposeAsync(loris, agreed, Hosts.Patience);
        }

        await loris.Stream.WriteAsync(Convert.FromHexString(hex), Hosts.Patience);
        time.Advance(alice.Options.HandshakeDeadline);

        (await refused.Task.WaitAsync(Hosts.Patience)).Fault.Should().Be(Libp2pFault.DeadlinePassed);
        await UntilClosedAsync(loris.Stream);
    }

    [Fact]
    public async Task A_Noise_message_that_was_recorded_is_of_no_use_in_another_handshake()
    {
        TaskCompletionSource<Libp2pException> refused = new();
        await using Libp2pHost alice = Hosts.Start(1);
        alice.InboundRefused += (_, refusal) => refused.TrySetResult(refusal);
        byte[] recorded = await RecordThirdMessageAsync(alice);

        await using RawConnection raw = await AgreeOnNoiseAsync(alice);
        await using Stream replayer = raw.Stream;
        raw.TakeReceived();
        byte[] first = [0, 32, .. Enumerable.Repeat((byte)9, 32)];
        await replayer.WriteAsync(first, Hosts.Patience);
        byte[] second = await ReadMessageAsync(replayer);
        second.Should().NotBeEmpty();
        await replayer.WriteAsync(recorded, Hosts.Patience);

        (await refused.Task.WaitAsync(Hosts.Patience)).Fault.Should().Be(Libp2pFault.NoiseDecryption);
    }

    private static async Task<RawConnection> AgreeOnNoiseAsync(Libp2pHost host)
    {
        RawConnection raw = new(TcpTransport.StreamOf(await TcpTransport.DialAsync(host.ListenAddresses[0].WithoutPeer(), Hosts.Patience)));
        await MultistreamSelect.ProposeAsync(raw, SecurityProtocol.Noise.Id, Hosts.Patience);
        return raw;
    }

    // What a listener in between would see as the dialler's last message.
    private static async Task<byte[]> RecordThirdMessageAsync(Libp2pHost host)
    {
        await using RawConnection raw = await AgreeOnNoiseAsync(host);
        using Libp2pIdentity bob = Hosts.Identity(2);
        RecordingStream wire = new(raw.Stream);
        await using RawConnection recorded = new(wire);
        await using NoiseChannel channel = await NoiseUpgrade.RunAsync(recorded, bob, isDialer: true, host.PeerId, ["/yamux/1.0.0"], Hosts.Patience);
        return wire.LastWritten;
    }

    private static async Task<byte[]> ReadMessageAsync(Stream stream)
    {
        byte[] header = new byte[2];
        await stream.ReadExactlyAsync(header, Hosts.Patience);
        byte[] message = new byte[BinaryPrimitives.ReadUInt16BigEndian(header)];
        await stream.ReadExactlyAsync(message, Hosts.Patience);
        return message;
    }

    private static async Task UntilClosedAsync(Stream stream)
    {
        try
        {
            while (await stream.ReadAsync(new byte[256], Hosts.Patience) > 0)
            {
            }
        }
        catch (IOException closed) when (closed.InnerException is SocketException)
        {
            // Closed with our bytes unread: the kernel says so with a reset.
        }
    }

    /// <summary>Passes everything on and remembers the last write.</summary>
    private sealed class RecordingStream(Stream inner) : Stream
    {
        public byte[] LastWritten { get; private set; } = [];

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            LastWritten = buffer.ToArray();
            return inner.WriteAsync(buffer, cancellationToken);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
