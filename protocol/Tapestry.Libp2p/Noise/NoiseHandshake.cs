using System.Diagnostics;
using Tapestry.Crypto;

namespace Tapestry.Libp2p.Noise;

/// <summary>The XX handshake of Noise as a pure state machine: messages in, messages out, no I/O and no randomness of its own.</summary>
/// <remarks>
/// <para>noiseprotocol.org, revision 34, section 7.5; <c>Noise_XX_25519_ChaChaPoly_SHA256</c>.</para>
/// <code>
///   initiator -> responder   e
///   initiator &lt;- responder   e, ee, s, es   + payload
///   initiator -> responder   s, se          + payload
/// </code>
/// After any fault the handshake is of no more use.
/// </remarks>
public sealed class NoiseHandshake : IDisposable
{
    /// <summary>The longest message that Noise allows, in bytes.</summary>
    public const int MaximumMessageLength = ushort.MaxValue;

    // Two encrypted fields and two keys go around the payload of the longest message, the second.
    private const int MaximumOverhead = (2 * X25519Key.Length) + (2 * NoiseCipher.TagLength);
    private const int MessageCount = 3;

    private readonly NoiseSymmetricState _state = new("Noise_XX_25519_ChaChaPoly_SHA256"u8);
    private readonly bool _isInitiator;
    private readonly X25519Key _static;
    private readonly X25519Key _ephemeral;
    private readonly byte[] _remoteStatic = new byte[X25519Key.Length];
    private readonly byte[] _remoteEphemeral = new byte[X25519Key.Length];
    private int _messagesDone;

    /// <summary>Starts a handshake.</summary>
    /// <param name="isInitiator">Whether we dialled.</param>
    /// <param name="prologue">What both sides must agree on; empty in libp2p.</param>
    /// <param name="staticKey">Our long-lived Noise key; stays the caller's.</param>
    /// <param name="ephemeralKey">A key for this handshake only; the handshake takes it over.</param>
    public NoiseHandshake(bool isInitiator, ReadOnlySpan<byte> prologue, X25519Key staticKey, X25519Key ephemeralKey)
    {
        _isInitiator = isInitiator;
        _static = staticKey;
        _ephemeral = ephemeralKey;
        _state.MixHash(prologue);
    }

    /// <summary>Whether the next message is ours to write.</summary>
    public bool IsOurTurn => !IsComplete && (_messagesDone % 2 == 0) == _isInitiator;

    /// <summary>Whether all three messages have passed and <see cref="Split"/> may be called.</summary>
    public bool IsComplete => _messagesDone == MessageCount;

    /// <summary>The hash over the whole handshake: equal on both sides, and different in every handshake.</summary>
    public ReadOnlySpan<byte> Hash => _state.Hash;

    /// <summary>The remote's static key; all zero until its message has been read.</summary>
    public ReadOnlySpan<byte> RemoteStaticKey => _remoteStatic;

    /// <summary>The most bytes that the next message takes with a payload of this length.</summary>
    public static int LengthBound(int payloadLength) => payloadLength + MaximumOverhead;

    /// <summary>Writes our next message.</summary>
    /// <param name="payload">Sent inside the message; in the first message, in the clear.</param>
    /// <param name="message">At least <see cref="LengthBound"/> bytes.</param>
    /// <param name="length">The length of the message.</param>
    /// <returns>None, or <see cref="Libp2pFault.NoiseZeroSharedSecret"/>.</returns>
    public Libp2pFault WriteMessage(ReadOnlySpan<byte> payload, Span<byte> message, out int length)
    {
        Debug.Assert(IsOurTurn);
        length = 0;
        if (_messagesDone < 2)
        {
            _ephemeral.PublicKey.CopyTo(message);
            _state.MixHash(_ephemeral.PublicKey);
            length += X25519Key.Length;
        }

        if (_messagesDone == 1 && !TryMix(_ephemeral, _remoteEphemeral))
        {
            return Libp2pFault.NoiseZeroSharedSecret;
        }

        if (_messagesDone > 0)
        {
            length += _state.EncryptAndHash(_static.PublicKey, message[length..]);
            if (!TryMix(_static, _remoteEphemeral))
            {
                return Libp2pFault.NoiseZeroSharedSecret;
            }
        }

        length += _state.EncryptAndHash(payload, message[length..]);
        _messagesDone++;
        return Libp2pFault.None;
    }

    /// <summary>Reads the remote's next message.</summary>
    /// <param name="message">The whole message, without its length on the wire.</param>
    /// <param name="payload">Receives the payload; at least as long as the message.</param>
    /// <param name="payloadLength">The length of the payload.</param>
    /// <returns>None, or what is wrong: too short, does not authenticate, or a point of small order.</returns>
    public Libp2pFault ReadMessage(ReadOnlySpan<byte> message, Span<byte> payload, out int payloadLength)
    {
        Debug.Assert(!IsOurTurn && !IsComplete);
        payloadLength = 0;
        if (_messagesDone < 2)
        {
            if (message.Length < X25519Key.Length)
            {
                return Libp2pFault.Malformed;
            }

            message[..X25519Key.Length].CopyTo(_remoteEphemeral);
            _state.MixHash(_remoteEphemeral);
            message = message[X25519Key.Length..];
        }

        if (_messagesDone == 1 && !TryMix(_ephemeral, _remoteEphemeral))
        {
            return Libp2pFault.NoiseZeroSharedSecret;
        }

        if (_messagesDone > 0)
        {
            Libp2pFault fault = ReadStaticKey(ref message);
            if (fault != Libp2pFault.None)
            {
                return fault;
            }
        }

        if (message.Length < _state.Overhead)
        {
            return Libp2pFault.Malformed;
        }

        payloadLength = message.Length - _state.Overhead;
        if (!_state.TryDecryptAndHash(message, payload[..payloadLength]))
        {
            return Libp2pFault.NoiseDecryption;
        }

        _messagesDone++;
        return Libp2pFault.None;
    }

    /// <summary>The ciphers of the channel, once the handshake is complete; the caller owns them.</summary>
    /// <exception cref="InvalidOperationException">The handshake is not complete.</exception>
    public (NoiseCipher Send, NoiseCipher Receive) Split()
    {
        if (!IsComplete)
        {
            throw new InvalidOperationException("The handshake has messages to go.");
        }

        (NoiseCipher first, NoiseCipher second) = _state.Split();
        return _isInitiator ? (first, second) : (second, first);
    }

    /// <summary>Wipes the ephemeral key and the chaining key.</summary>
    public void Dispose()
    {
        _ephemeral.Dispose();
        _state.Dispose();
    }

    private Libp2pFault ReadStaticKey(ref ReadOnlySpan<byte> message)
    {
        int length = X25519Key.Length + _state.Overhead;
        if (message.Length < length)
        {
            return Libp2pFault.Malformed;
        }

        if (!_state.TryDecryptAndHash(message[..length], _remoteStatic))
        {
            return Libp2pFault.NoiseDecryption;
        }

        message = message[length..];
        return TryMix(_ephemeral, _remoteStatic) ? Libp2pFault.None : Libp2pFault.NoiseZeroSharedSecret;
    }

    private bool TryMix(X25519Key ours, ReadOnlySpan<byte> theirs)
    {
        Span<byte> shared = stackalloc byte[X25519Key.Length];
        if (!ours.TryAgree(theirs, shared))
        {
            return false;
        }

        _state.MixKey(shared);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(shared);
        return true;
    }
}
