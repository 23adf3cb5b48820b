using FluentAssertions;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>Any bytes at all reach a reader: it answers, does not throw, and takes no more memory than the bytes justify.</summary>
public sealed class HostileBytesTests
{
    // A record, its lists and its strings take a small multiple of their encoding; a claimed length takes nothing.
    private const int BytesPerByte = 40;
    private const int BytesAtLeast = 16 * 1024;

    private delegate void Reader(ReadOnlySpan<byte> bytes);

    private static readonly Reader[] Readers =
    [
        static bytes => PeerMessage.TryRead(bytes, out _),
        static bytes => MessageHeader.TryRead(bytes, out _),
        static bytes => SignedStatement.TryRead(bytes, out _),
        static bytes => Certificate.TryRead(bytes, out _),
        static bytes => DecidedValue.TryRead(bytes, out _),
        static bytes => Plan.TryRead(bytes, out _),
        static bytes => Genesis.TryRead(bytes, out _),
        static bytes => Leaf.TryRead(bytes, out _),
        static bytes => MemberRow.TryRead(bytes, out _),
    ];

    [Fact]
    public void Random_bytes_are_refused_cheaply()
    {
        Random random = new(20261122);
        for (int run = 0; run < 20_000; run++)
        {
            byte[] bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            ReadAll(bytes);
        }
    }

    [Fact]
    public void Claimed_lengths_allocate_nothing()
    {
        byte[][] heads = [[0xdd, 0xff, 0xff, 0xff, 0xff], [0xdc, 0xff, 0xff], [0xc6, 0x7f, 0xff, 0xff, 0xff], [0xdb, 0xff, 0xff, 0xff, 0xff]];
        foreach (byte[] honest in Honest(7))
        {
            for (int at = 0; at < Math.Min(honest.Length, 400); at++)
            {
                foreach (byte[] head in heads)
                {
                    ReadAll([.. honest[..at], .. head, .. honest[at..]]);
                }
            }
        }
    }

    [Fact]
    public void Changed_messages_are_read_cheaply()
    {
        for (int seed = 0; seed < 20; seed++)
        {
            foreach (byte[] bytes in Honest(seed).SelectMany(honest => ChangedBytes.Of(honest, seed)))
            {
                ReadAll(bytes);
            }
        }
    }

    [Fact]
    public void Too_many_bytes_are_refused_by_name()
    {
        PeerMessage.TryRead(new byte[Limits.MessageBytes + 1], out _).Should().Be(MessageFault.TooLarge);
        MessageHeader.TryRead(new byte[Limits.MessageBytes + 1], out _).Should().Be(MessageFault.TooLarge);
        byte[] manifest = new Samples(3).Messages().First().Encode().ToArray();
        byte[] padded = [.. manifest, .. new byte[Limits.ManifestBytes]];
        PeerMessage.TryRead(padded, out _).Should().Be(MessageFault.TooLarge);
        PeerMessage.TryRead([0x95, 0x63, 1, 2, 3, 4], out _).Should().Be(MessageFault.UnknownType);
    }

    private static IEnumerable<byte[]> Honest(int seed)
    {
        Samples samples = new(seed);
        return samples.Messages().Select(static message => message.Encode().ToArray())
            .Concat(samples.Values().Select(static value => value.Encode().ToArray()))
            .Append(samples.Genesis().Encode().ToArray())
            .Append(new Leaf.Result(7, samples.Digest(), samples.Digest(), samples.Digest(), samples.Digest()).Encode().ToArray())
            .Append(MemberRow.New(samples.Member()).Encode().ToArray());
    }

    private static void ReadAll(byte[] bytes)
    {
        foreach (Reader reader in Readers)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            reader(bytes);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > BytesAtLeast + ((long)BytesPerByte * bytes.Length))
            {
                Assert.Fail($"Reading {bytes.Length} bytes took {allocated} bytes of memory: {Convert.ToHexStringLower(bytes)}");
            }
        }
    }
}
