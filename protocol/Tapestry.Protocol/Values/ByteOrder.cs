namespace Tapestry.Protocol;

/// <summary>Orders byte strings byte by byte, a prefix first: the order of keys in the record store.</summary>
public sealed class ByteOrder : IComparer<ByteString>
{
    private ByteOrder()
    {
    }

    /// <summary>The one instance.</summary>
    public static ByteOrder Instance { get; } = new();

    /// <inheritdoc/>
    public int Compare(ByteString? x, ByteString? y) =>
        x is null ? (y is null ? 0 : -1) : y is null ? 1 : x.Span.SequenceCompareTo(y.Span);
}
