using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Messages;

public sealed partial record SignedStatement
{
    // type, instance, author, body; on the wire also the signature.
    private const int SignedFieldCount = 4;

    private static ReadOnlySpan<byte> SigningDomain => "tapestry/signed/v1\0"u8;

    /// <summary>The message type of the statement.</summary>
    public MessageType Type => StatementEncoding.TypeOf(Statement);

    /// <summary>Names the statement: SHA-256 of the signing bytes. Computed at every call.</summary>
    public Digest Digest => Digest.Of(SigningBytes(Instance, Author, Statement));

    /// <summary>The bytes that are signed: a domain string that ends in a zero byte, then the canonical [type, instance, author, body].</summary>
    /// <exception cref="ArgumentException">A number in the statement has no canonical form (not finite, or -0).</exception>
    public static byte[] SigningBytes(Instance instance, MemberId author, Statement statement)
    {
        ArrayBufferWriter<byte> output = new();
        output.Write(SigningDomain);
        WriteSignedFields(new CanonicalWriter(output), SignedFieldCount, instance, author, statement);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>Signs a statement. Only the signature guard calls this in a running partner.</summary>
    /// <exception cref="ArgumentException">The key is not the author's, or a number has no canonical form.</exception>
    public static SignedStatement Sign(Instance instance, MemberId author, Statement statement, SigningKey key)
    {
        if (key.PublicKey != author.Key)
        {
            throw new ArgumentException($"The key {key.PublicKey.ToShortString()} cannot sign for {author}.", nameof(key));
        }

        return new SignedStatement(instance, author, statement, key.Sign(SigningBytes(instance, author, statement)));
    }

    /// <summary>Whether the signature holds under the author's key.</summary>
    public bool Verify() => Ed25519.Verify(Author.Key, SigningBytes(Instance, Author, Statement), Signature);

    /// <summary>The encoding that travels and is stored: [type, instance, author, body, signature].</summary>
    public ByteString Encode() => Encoded.Of(this, static (writer, statement) => statement.WriteTo(writer));

    /// <summary>Reads an encoding. Whether the signature holds is not checked here: <see cref="Verify"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SignedStatement? statement)
    {
        statement = null;
        if (bytes.Length > Limits.MessageBytes)
        {
            return false;
        }

        CanonicalReader reader = new(bytes);
        return reader.TryReadArray(SignedFieldCount + 1)
            && reader.TryReadInteger(0, byte.MaxValue, out int type)
            && TryReadAfterType(ref reader, (MessageType)type, bytes.Length, out statement);
    }

    internal void WriteTo(CanonicalWriter writer)
    {
        WriteSignedFields(writer, SignedFieldCount + 1, Instance, Author, Statement);
        writer.WriteSignature(Signature);
    }

    /// <summary>Reads the fields that follow the type, to the end of the bytes.</summary>
    internal static bool TryReadAfterType(
        ref CanonicalReader reader, MessageType type, int totalBytes, [NotNullWhen(true)] out SignedStatement? signed)
    {
        signed = null;
        if ((type == MessageType.Manifest && totalBytes > Limits.ManifestBytes)
            || !Instance.TryRead(ref reader, out Instance? instance)
            || !instance.Admits(type)
            || !reader.TryReadMember(out MemberId author)
            || !StatementEncoding.TryRead(ref reader, type, out Statement? statement)
            || !reader.TryReadSignature(out Signature signature)
            || !reader.IsAtEnd)
        {
            return false;
        }

        signed = new SignedStatement(instance, author, statement, signature);
        return true;
    }

    private static void WriteSignedFields(
        CanonicalWriter writer, int fieldCount, Instance instance, MemberId author, Statement statement)
    {
        writer.WriteArray(fieldCount);
        writer.WriteInteger((byte)StatementEncoding.TypeOf(statement));
        instance.WriteTo(writer);
        writer.WriteMember(author);
        StatementEncoding.Write(writer, statement);
    }
}
