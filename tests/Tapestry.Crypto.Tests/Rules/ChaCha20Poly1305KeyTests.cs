using FluentAssertions;
using Xunit;

namespace Tapestry.Crypto.Tests.Rules;

public sealed class ChaCha20Poly1305KeyTests
{
    private static readonly byte[] Nonce = new byte[ChaCha20Poly1305Key.NonceLength];

    [Fact]
    public void A_changed_byte_of_text_tag_nonce_or_associated_data_is_refused()
    {
        using ChaCha20Poly1305Key key = new(new byte[32]);
        byte[] sealedText = new byte[20 + ChaCha20Poly1305Key.TagLength];
        byte[] opened = new byte[20];
        key.Encrypt(Nonce, new byte[20], [1], sealedText);
        for (int i = 0; i < sealedText.Length; i++)
        {
            byte[] changed = [.. sealedText];
            changed[i] ^= 1;
            key.TryDecrypt(Nonce, changed, [1], opened).Should().BeFalse();
        }

        key.TryDecrypt(Nonce, sealedText, [2], opened).Should().BeFalse();
        key.TryDecrypt([.. Nonce[1..], 1], sealedText, [1], opened).Should().BeFalse();
        key.TryDecrypt(Nonce, sealedText.AsSpan(0, 15), [1], []).Should().BeFalse("a tag has 16 bytes");
        key.TryDecrypt(Nonce, sealedText, [1], opened).Should().BeTrue();
    }

    [Fact]
    public void Sealing_and_opening_in_place_gives_the_plaintext_back()
    {
        using ChaCha20Poly1305Key key = new(new byte[32]);
        byte[] buffer = new byte[1000 + ChaCha20Poly1305Key.TagLength];
        buffer.AsSpan(0, 1000).Fill(0x33);
        key.Encrypt(Nonce, buffer.AsSpan(0, 1000), [], buffer);
        buffer.AsSpan(0, 1000).ToArray().Should().NotEqual(Enumerable.Repeat((byte)0x33, 1000));
        key.TryDecrypt(Nonce, buffer, [], buffer.AsSpan(0, 1000)).Should().BeTrue();
        buffer.AsSpan(0, 1000).ToArray().Should().OnlyContain(value => value == 0x33);
    }

    [Fact]
    public void Sealing_and_opening_allocate_nothing()
    {
        using ChaCha20Poly1305Key key = new(new byte[32]);
        byte[] buffer = new byte[65_519 + ChaCha20Poly1305Key.TagLength];
        void SealAndOpen()
        {
            key.Encrypt(Nonce, buffer.AsSpan(0, 65_519), [], buffer);
            key.TryDecrypt(Nonce, buffer, [], buffer.AsSpan(0, 65_519));
        }

        SealAndOpen();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            SealAndOpen();
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().Be(0);
    }
}
