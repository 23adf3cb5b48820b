using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text.Unicode;
using Tapestry.Crypto;

namespace Tapestry.Protocol.Ledger;

/// <summary>Text with the signatures of named keys; nothing in it is to be believed before <see cref="TryVerify"/>.</summary>
/// <remarks>C2SP signed-note: https://c2sp.org/signed-note.</remarks>
public sealed record SignedNote
{
    /// <summary>The longest note, in bytes: 16 signatures of the largest kind (5 KB) and as much text again.</summary>
    public const int BytesMax = 128 * 1024;

    /// <summary>The most signatures of a note; the specification wants at least 16.</summary>
    public const int SignaturesMax = 64;

    private const string LineStart = "\u2014 ";

    private SignedNote(string text, Sequence<NoteSignature> signatures)
    {
        Text = text;
        Signatures = signatures;
    }

    /// <summary>What is signed: valid Unicode that ends in a newline and holds no other control character.</summary>
    public string Text { get; }

    /// <summary>The signatures, of known and unknown keys.</summary>
    public Sequence<NoteSignature> Signatures { get; }

    /// <summary>Signs a text with one key; add further signatures with <see cref="With"/>.</summary>
    /// <exception cref="ArgumentException">The text is none that a note can hold.</exception>
    public static SignedNote Sign(string text, string keyName, SigningKey key)
    {
        if (!IsText(text))
        {
            throw new ArgumentException("A note's text ends in a newline and holds no other control character.", nameof(text));
        }

        return new SignedNote(text, [NoteSignature.Sign(text, keyName, key)]);
    }

    /// <summary>The same text with one more signature.</summary>
    public SignedNote With(NoteSignature signature) => new(Text, [.. Signatures, signature]);

    /// <summary>Reads a note without verifying anything.</summary>
    /// <returns>False when the bytes break the format or exceed a bound.</returns>
    public static bool TryParse(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out SignedNote? note)
    {
        note = null;
        if (bytes.Length > BytesMax || !Utf8.IsValid(bytes))
        {
            return false;
        }

        string whole = System.Text.Encoding.UTF8.GetString(bytes);
        int blankLine = whole.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (blankLine < 0 || !whole.EndsWith('\n'))
        {
            return false;
        }

        string text = whole[..(blankLine + 1)];
        string[] lines = whole[(blankLine + 2)..].Split('\n')[..^1];
        if (!IsText(text) || lines.Length is 0 or > SignaturesMax)
        {
            return false;
        }

        NoteSignature[] signatures = new NoteSignature[lines.Length];
        for (int i = 0; i < lines.Length; i++)
        {
            if (!TryParseLine(lines[i], out NoteSignature? signature))
            {
                return false;
            }

            signatures[i] = signature;
        }

        note = new SignedNote(text, Sequence.Create<NoteSignature>(signatures));
        return true;
    }

    /// <summary>Checks every signature of the known keys; those of unknown keys are ignored.</summary>
    /// <param name="known">The keys that the caller trusts.</param>
    /// <param name="signers">Those of them that signed, each once, in the order of <paramref name="known"/>.</param>
    /// <returns>True when at least one known key signed and no signature of a known key fails.</returns>
    public bool TryVerify(ReadOnlySpan<NoteKey> known, out Sequence<NoteKey> signers)
    {
        List<NoteKey> found = [];
        signers = Sequence<NoteKey>.Empty;
        foreach (NoteKey key in known)
        {
            foreach (NoteSignature signature in Signatures)
            {
                if (!signature.IsOf(key))
                {
                    continue;
                }

                if (!signature.Verifies(key, Text))
                {
                    return false;
                }

                if (!found.Contains(key))
                {
                    found.Add(key);
                }
            }
        }

        signers = found.ToSequence();
        return found.Count > 0;
    }

    /// <summary>The note as it is stored and served.</summary>
    public byte[] ToArray() => System.Text.Encoding.UTF8.GetBytes(ToString());

    /// <summary>The note as text.</summary>
    public override string ToString()
    {
        System.Text.StringBuilder whole = new(Text);
        whole.Append('\n');
        foreach (NoteSignature signature in Signatures)
        {
            byte[] blob = new byte[sizeof(uint) + signature.Bytes.Length];
            BinaryPrimitives.WriteUInt32BigEndian(blob, signature.KeyId);
            signature.Bytes.Span.CopyTo(blob.AsSpan(sizeof(uint)));
            whole.Append(LineStart).Append(signature.KeyName).Append(' ').Append(Convert.ToBase64String(blob)).Append('\n');
        }

        return whole.ToString();
    }

    private static bool IsText(string text)
    {
        if (!text.EndsWith('\n') || text.AsSpan().ContainsAnyInRange('\u0000', '\u0009') || text.AsSpan().ContainsAnyInRange('\u000b', '\u001f'))
        {
            return false;
        }

        // A lone surrogate has no bytes in UTF-8: what would be signed is not what is written here.
        return System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text)) == text;
    }

    private static bool TryParseLine(string line, [NotNullWhen(true)] out NoteSignature? signature)
    {
        signature = null;
        if (!line.StartsWith(LineStart, StringComparison.Ordinal))
        {
            return false;
        }

        string[] parts = line[LineStart.Length..].Split(' ');
        if (parts.Length != 2 || !NoteKey.IsName(parts[0])
            || !StrictBase64.TryDecode(parts[1], out byte[]? blob)
            || blob.Length <= sizeof(uint))
        {
            return false;
        }

        uint keyId = BinaryPrimitives.ReadUInt32BigEndian(blob);
        signature = new NoteSignature(parts[0], keyId, ByteString.CopyFrom(blob.AsSpan(sizeof(uint))));
        return true;
    }
}

/// <summary>One signature line of a note.</summary>
public sealed record NoteSignature
{
    internal NoteSignature(string keyName, uint keyId, ByteString bytes)
    {
        KeyName = keyName;
        KeyId = keyId;
        Bytes = bytes;
    }

    /// <summary>The name of the key.</summary>
    public string KeyName { get; }

    /// <summary>Together with the name, which key and algorithm.</summary>
    public uint KeyId { get; }

    /// <summary>What the algorithm made; at least one byte.</summary>
    public ByteString Bytes { get; }

    /// <summary>Signs a note's text (signature type 0x01).</summary>
    /// <exception cref="ArgumentException"><paramref name="keyName"/> cannot name a key.</exception>
    public static NoteSignature Sign(string text, string keyName, SigningKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        NoteKey noteKey = new(keyName, key.PublicKey);
        return new NoteSignature(keyName, noteKey.Id, ByteString.Own(key.Sign(System.Text.Encoding.UTF8.GetBytes(text)).ToArray()));
    }

    /// <summary>Whether the line claims to be of <paramref name="key"/>.</summary>
    public bool IsOf(NoteKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return KeyName == key.Name && KeyId == key.Id;
    }

    /// <summary>Whether the signature of <paramref name="text"/> holds under <paramref name="key"/>.</summary>
    public bool Verifies(NoteKey key, string text)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Bytes.Length == Signature.Length
            && Ed25519.Verify(key.Key, System.Text.Encoding.UTF8.GetBytes(text), new Signature(Bytes.Span));
    }
}
