using System.Buffers;

namespace Tapestry.Protocol.Encoding;

/// <summary>Collects what a writer writes.</summary>
internal static class Encoded
{
    internal static ByteString Of<T>(T value, Action<CanonicalWriter, T> write)
    {
        ArrayBufferWriter<byte> output = new();
        write(new CanonicalWriter(output), value);
        return ByteString.CopyFrom(output.WrittenSpan);
    }
}
