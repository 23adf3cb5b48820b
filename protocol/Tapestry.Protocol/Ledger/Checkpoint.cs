using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Tapestry.Crypto;

namespace Tapestry.Protocol.Ledger;

/// <summary>A ledger's head: its origin, how many leaves it has and their root.</summary>
/// <remarks>
/// C2SP tlog-checkpoint: https://c2sp.org/tlog-checkpoint. Extension lines are refused: no auditor can check them, and our
/// ledgers have none.
/// </remarks>
public sealed record Checkpoint
{
    /// <summary>A head.</summary>
    /// <param name="origin">Names the ledger; as a key name, so that the ledger's own key can be called so.</param>
    /// <param name="size">Leaves, at most <see cref="MerkleTree.SizeMax"/>.</param>
    /// <param name="root">The root of the tree of these leaves.</param>
    /// <exception cref="ArgumentException">The origin is no key name, or the size is out of range.</exception>
    public Checkpoint(string origin, long size, Digest root)
    {
        if (!NoteKey.IsName(origin))
        {
            throw new ArgumentException($"'{origin}' is no origin: it must be usable as a key name.", nameof(origin));
        }

        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, MerkleTree.SizeMax);
        Origin = origin;
        Size = size;
        Root = root;
    }

    /// <summary>Names the ledger.</summary>
    public string Origin { get; }

    /// <summary>The number of leaves.</summary>
    public long Size { get; }

    /// <summary>The RFC 6962 root.</summary>
    public Digest Root { get; }

    /// <summary>Reads the text of a note.</summary>
    /// <returns>False when it is not exactly what <see cref="ToText"/> would write.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        checkpoint = null;
        string[] lines = text.Split('\n');
        if (lines.Length != 4
            || !NoteKey.IsName(lines[0])
            || !long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out long size)
            || size > MerkleTree.SizeMax
            || !StrictBase64.TryDecode(lines[2], out byte[]? root)
            || root.Length != Digest.Length)
        {
            return false;
        }

        Checkpoint candidate = new(lines[0], size, new Digest(root));
        checkpoint = candidate.ToText() == text ? candidate : null;
        return checkpoint is not null;
    }

    /// <summary>Reads a signed checkpoint and verifies it.</summary>
    /// <param name="bytes">The note.</param>
    /// <param name="key">The ledger's key; its name must be the checkpoint's origin.</param>
    /// <param name="checkpoint">The head that the key signed.</param>
    public static bool TryVerify(ReadOnlySpan<byte> bytes, NoteKey key, [NotNullWhen(true)] out Checkpoint? checkpoint)
    {
        ArgumentNullException.ThrowIfNull(key);
        checkpoint = null;
        if (SignedNote.TryParse(bytes, out SignedNote? note)
            && note.TryVerify([key], out _)
            && TryParse(note.Text, out Checkpoint? candidate)
            && candidate.Origin == key.Name)
        {
            checkpoint = candidate;
        }

        return checkpoint is not null;
    }

    /// <summary>Signs the head with a key that is named like the origin.</summary>
    public SignedNote Sign(SigningKey key) => SignedNote.Sign(ToText(), Origin, key);

    /// <summary>The text that is signed: origin, size and root in base64, a line each.</summary>
    public string ToText() =>
        string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Convert.ToBase64String(Root.ToArray())}\n");
}
