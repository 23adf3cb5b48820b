using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Tapestry.Sim;

/// <summary>A SHA-256 that runs over everything that happens: two runs are the same exactly when their traces are.</summary>
public sealed class Trace : IDisposable
{
    private const int BufferBytes = 16 * 1024;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _used;

    /// <summary>Adds one happening.</summary>
    /// <param name="timeUs">When.</param>
    /// <param name="member">Where.</param>
    /// <param name="what">Its kind.</param>
    /// <param name="detail">A hash of the rest.</param>
    public void Add(long timeUs, int member, byte what, int detail)
    {
        const int entryBytes = 8 + 4 + 1 + 4;
        if (_used + entryBytes > BufferBytes)
        {
            Flush();
        }

        Span<byte> entry = _buffer.AsSpan(_used, entryBytes);
        BinaryPrimitives.WriteInt64LittleEndian(entry, timeUs);
        BinaryPrimitives.WriteInt32LittleEndian(entry[8..], member);
        entry[12] = what;
        BinaryPrimitives.WriteInt32LittleEndian(entry[13..], detail);
        _used += entryBytes;
    }

    /// <summary>The hash so far, as hexadecimal; more may be added.</summary>
    public string Current()
    {
        Flush();
        return Convert.ToHexStringLower(_hash.GetCurrentHash());
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();

    private void Flush()
    {
        _hash.AppendData(_buffer.AsSpan(0, _used));
        _used = 0;
    }
}
