using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Unicode;
using Tapestry.Crypto;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p.Gossip;

/// <summary>One message as it travels: fields that nobody has checked, and the very bytes that are forwarded.</summary>
/// <remarks>
/// libp2p/specs, pubsub/README.md. Signed is <c>libp2p-pubsub:</c> followed by the message without the fields signature and key:
/// the text of the specification leaves out the signature alone, but js-libp2p and go-libp2p leave out both. Fields that we do not
/// know are signed and forwarded, behind the known ones, as go-libp2p has them.
/// </remarks>
public sealed class SignedMessage
{
    /// <summary>Bytes of a sequence number.</summary>
    public const int SequenceLength = 8;

    private const int FromField = 1;
    private const int DataField = 2;
    private const int SequenceField = 3;
    private const int TopicField = 4;
    private const int SignatureField = 5;
    private const int KeyField = 6;

    private static readonly byte[] Prefix = "libp2p-pubsub:"u8.ToArray();

    private GossipId? _id;
    private PeerId? _author;

    private SignedMessage(ReadOnlyMemory<byte> encoded, string topic, int signedLength)
    {
        Encoded = encoded;
        Topic = topic;
        SignedLength = signedLength;
    }

    /// <summary>The whole message, fields in ascending order.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>The topic; never missing.</summary>
    public string Topic { get; }

    /// <summary>The author as it came; empty when missing.</summary>
    public ReadOnlyMemory<byte> From { get; private init; }

    /// <summary>What the message says; empty when missing.</summary>
    public ReadOnlyMemory<byte> Data { get; private init; }

    /// <summary>The sequence number as it came; empty when missing.</summary>
    public ReadOnlyMemory<byte> Sequence { get; private init; }

    /// <summary>The signature; empty when missing.</summary>
    public ReadOnlyMemory<byte> Signature { get; private init; }

    /// <summary>The author's key; empty when missing, as it may be where the author's id contains it.</summary>
    public ReadOnlyMemory<byte> Key { get; private init; }

    /// <summary>The id: author and sequence number.</summary>
    public GossipId Id => _id ??= new GossipId(From.Span, Sequence.Span);

    /// <summary>Who it says has written it; null when that is no peer id.</summary>
    public PeerId? Author => _author ?? (PeerId.TryRead(From.Span, out _author) ? _author : null);

    // How much of the encoding's start is signed, and the unknown fields at its end, which are signed too.
    private int SignedLength { get; }

    private ReadOnlyMemory<byte> Unknown { get; init; }

    /// <summary>Writes and signs a message of our own. The one copy of the data is the one that is sent.</summary>
    /// <param name="identity">The author.</param>
    /// <param name="topic">The topic.</param>
    /// <param name="data">What to say.</param>
    /// <param name="sequence">Our number for it, never used before.</param>
    public static SignedMessage Sign(Libp2pIdentity identity, string topic, ReadOnlySpan<byte> data, ulong sequence)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(topic);
        Span<byte> number = stackalloc byte[SequenceLength];
        BinaryPrimitives.WriteUInt64BigEndian(number, sequence);
        byte[] name = Encoding.UTF8.GetBytes(topic);
        ReadOnlySpan<byte> author = identity.PeerId.Bytes;
        int signed = FieldLength(author.Length) + FieldLength(data.Length) + FieldLength(SequenceLength) + FieldLength(name.Length);
        byte[] buffer = GC.AllocateUninitializedArray<byte>(Prefix.Length + signed + FieldLength(Crypto.Signature.Length));
        Prefix.CopyTo(buffer, 0);
        int at = Prefix.Length;
        ReadOnlyMemory<byte> from = Append(buffer, ref at, FromField, author);
        ReadOnlyMemory<byte> body = Append(buffer, ref at, DataField, data);
        ReadOnlyMemory<byte> counter = Append(buffer, ref at, SequenceField, number);
        Append(buffer, ref at, TopicField, name);
        Span<byte> signature = stackalloc byte[Crypto.Signature.Length];
        identity.Sign(buffer.AsSpan(0, at)).CopyTo(signature);
        ReadOnlyMemory<byte> proof = Append(buffer, ref at, SignatureField, signature);
        return new SignedMessage(buffer.AsMemory(Prefix.Length), topic, signed)
        {
            From = from,
            Data = body,
            Sequence = counter,
            Signature = proof,
        };
    }

    /// <summary>Reads a message; what it returns keeps <paramref name="encoded"/>, which nobody may change afterwards.</summary>
    /// <param name="encoded">The Protocol Buffers message, of bounded length.</param>
    /// <param name="limits">The bounds of its fields, but of its data, which the router scores.</param>
    /// <param name="message">The message.</param>
    /// <returns>False when it is malformed or names no topic.</returns>
    public static bool TryRead(ReadOnlyMemory<byte> encoded, GossipLimits limits, [NotNullWhen(true)] out SignedMessage? message)
    {
        ArgumentNullException.ThrowIfNull(limits);
        message = null;
        MessageFields fields = new();
        if (!fields.TryRead(encoded, limits) || fields[TopicField] is not { IsEmpty: false } topic || !Utf8.IsValid(topic.Span))
        {
            return false;
        }

        if (!fields.IsCanonical)
        {
            encoded = fields.Encode();
            fields = new MessageFields();
            _ = fields.TryRead(encoded, limits);
        }

        message = new SignedMessage(encoded, Encoding.UTF8.GetString(topic.Span), fields.SignedLength)
        {
            From = fields[FromField] ?? default,
            Data = fields[DataField] ?? default,
            Sequence = fields[SequenceField] ?? default,
            Signature = fields[SignatureField] ?? default,
            Key = fields[KeyField] ?? default,
            Unknown = fields.Unknown,
        };
        return true;
    }

    /// <summary>What can be said against the message without cryptography, under StrictSign.</summary>
    public GossipFault Inspect(GossipLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return this switch
        {
            { Data.Length: int length } when length > limits.MessageDataBytes => GossipFault.MessageTooLarge,
            { Signature.IsEmpty: true } or { From.IsEmpty: true } or { Sequence.IsEmpty: true } => GossipFault.SignatureMissing,
            { Sequence.Length: not SequenceLength } => GossipFault.SequenceLength,
            _ => GossipFault.None,
        };
    }

    /// <summary>Checks the signature, and that the key is the author's.</summary>
    /// <param name="sender">Who sent it to us.</param>
    /// <param name="message">The verified message.</param>
    /// <returns><see cref="GossipFault.None"/>, or what is wrong.</returns>
    public GossipFault TryVerify(PeerId sender, out GossipMessage? message) => TryVerify(sender, null, out message);

    /// <summary>The same, faster where the author's key is known; makes it known when the message verifies.</summary>
    internal GossipFault TryVerify(PeerId sender, AuthorKeys? keys, out GossipMessage? message)
    {
        message = null;
        if (Sequence.Length != SequenceLength)
        {
            return Sequence.IsEmpty ? GossipFault.SignatureMissing : GossipFault.SequenceLength;
        }

        if (Author is not PeerId author)
        {
            return GossipFault.AuthorMalformed;
        }

        if (keys?.Find(author) is VerifyingKey known && HasKeyOf(author))
        {
            if (Signature.Length != Crypto.Signature.Length || !Verifies((signed, signature) => known.Verify(signed, new Signature(signature))))
            {
                return GossipFault.SignatureInvalid;
            }
        }
        else
        {
            IdentityKey? key;
            if (Key.IsEmpty ? !author.TryGetIdentityKey(out key) : !IdentityKey.TryRead(Key.Span, out key) || PeerId.From(key) != author)
            {
                return GossipFault.KeyMismatch;
            }

            if (!Verifies(key!.Verify))
            {
                return GossipFault.SignatureInvalid;
            }

            keys?.Add(author);
        }

        message = new GossipMessage(this, author, BinaryPrimitives.ReadUInt64BigEndian(Sequence.Span), sender);
        return GossipFault.None;
    }

    // An id that contains its key does so behind two bytes, in the key's one encoding.
    private bool HasKeyOf(PeerId author) => Key.IsEmpty || author.Bytes[2..].SequenceEqual(Key.Span);

    private bool Verifies(Func<ReadOnlySpan<byte>, ReadOnlySpan<byte>, bool> verify)
    {
        int length = Prefix.Length + SignedLength + Unknown.Length;
        byte[] signed = ArrayPool<byte>.Shared.Rent(length);
        Prefix.CopyTo(signed, 0);
        Encoded.Span[..SignedLength].CopyTo(signed.AsSpan(Prefix.Length));
        Unknown.Span.CopyTo(signed.AsSpan(Prefix.Length + SignedLength));
        bool verifies = verify(signed.AsSpan(0, length), Signature.Span);
        ArrayPool<byte>.Shared.Return(signed);
        return verifies;
    }

    private static int FieldLength(int valueLength) => 1 + Varint.LengthOf((ulong)valueLength) + valueLength;

    private static ReadOnlyMemory<byte> Append(byte[] buffer, ref int at, int field, ReadOnlySpan<byte> value)
    {
        buffer[at++] = (byte)((field << 3) | 2);
        at += Varint.Write(buffer.AsSpan(at), (ulong)value.Length);
        value.CopyTo(buffer.AsSpan(at));
        at += value.Length;
        return buffer.AsMemory(at - value.Length, value.Length);
    }

    /// <summary>The fields of a message as they come, the last of each counting, and whether they came in the one form that is forwarded.</summary>
    private ref struct MessageFields
    {
        private readonly ReadOnlyMemory<byte>?[] _values = new ReadOnlyMemory<byte>?[KeyField + 1];
        private int _last;
        private int _unknownStart;

        public MessageFields()
        {
        }

        /// <summary>Ascending, no field twice, shortest lengths, unknown fields last.</summary>
        public bool IsCanonical { get; private set; } = true;

        /// <summary>How many bytes from the start of a canonical message are signed.</summary>
        public int SignedLength { get; private set; }

        /// <summary>The fields that we do not know, tags included.</summary>
        public ReadOnlyMemory<byte> Unknown { get; private set; }

        public readonly ReadOnlyMemory<byte>? this[int field] => _values[field];

        public bool TryRead(ReadOnlyMemory<byte> encoded, GossipLimits limits)
        {
            ProtobufReader reader = new(encoded.Span);
            while (true)
            {
                int start = encoded.Length - reader.RestLength;
                if (!reader.TryReadTag())
                {
                    break;
                }

                if (reader.Field > KeyField)
                {
                    reader.SkipValue();
                    if (!TryAddUnknown(encoded, start, encoded.Length - reader.RestLength))
                    {
                        return false;
                    }

                    continue;
                }

                ReadOnlySpan<byte> value = reader.ReadBytes(BoundOf(reader.Field, limits));
                int end = encoded.Length - reader.RestLength;
                IsCanonical &= reader.Field > _last && Unknown.IsEmpty && end - start == FieldLength(value.Length);
                _last = reader.Field;
                _values[_last] = encoded.Slice(end - value.Length, value.Length);
                SignedLength = _last <= TopicField ? end : SignedLength;
            }

            return !reader.Malformed;
        }

        /// <summary>The same fields in the form that is forwarded.</summary>
        public readonly byte[] Encode()
        {
            ProtobufWriter writer = new();
            for (int field = FromField; field <= KeyField; field++)
            {
                if (_values[field] is ReadOnlyMemory<byte> value)
                {
                    writer.WriteBytes(field, value.Span);
                }
            }

            return [.. writer.Written, .. Unknown.Span];
        }

        private static int BoundOf(int field, GossipLimits limits) => field switch
        {
            FromField => PeerId.MaximumLength,
            TopicField => limits.TopicBytes,
            SequenceField => limits.MessageIdBytes,
            SignatureField or KeyField => IdentityKey.MaximumDataLength + 16,
            _ => limits.RpcBytes,
        };

        // In one run, as every encoder writes them; gathering scattered ones would cost more than they are worth.
        private bool TryAddUnknown(ReadOnlyMemory<byte> encoded, int start, int end)
        {
            _unknownStart = Unknown.IsEmpty ? start : _unknownStart;
            bool follows = start == _unknownStart + Unknown.Length;
            Unknown = follows ? encoded[_unknownStart..end] : default;
            return follows;
        }
    }
}
