namespace Tapestry.Protocol.Encoding;

/// <summary>The order that makes a list of different things have one encoding.</summary>
internal static class Order
{
    /// <summary>Whether the keys grow strictly: sorted, and none twice.</summary>
    internal static bool IsStrictlyAscending<T, TKey>(Sequence<T> items, Func<T, TKey> key)
        where TKey : IComparable<TKey>
    {
        ReadOnlySpan<T> span = items.AsSpan();
        for (int index = 1; index < span.Length; index++)
        {
            if (key(span[index - 1]).CompareTo(key(span[index])) >= 0)
            {
                return false;
            }
        }

        return true;
    }
}
