using System.Collections;
using System.Runtime.CompilerServices;

namespace Tapestry.Protocol;

/// <summary>An immutable list with value equality, so that records that hold lists compare by content.</summary>
/// <typeparam name="T">The element; its own equality is used.</typeparam>
[CollectionBuilder(typeof(Sequence), nameof(Sequence.Create))]
[System.Diagnostics.CodeAnalysis.SuppressMessage("Naming", "CA1710", Justification = "Sequence is the word of the field.")]
public sealed class Sequence<T> : IReadOnlyList<T>, IEquatable<Sequence<T>>
{
    private readonly T[] _items;

    internal Sequence(T[] items) => _items = items;

    /// <summary>No elements.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1000", Justification = "Mirrors Array.Empty for the one generic value type of the project.")]
    public static Sequence<T> Empty { get; } = new([]);

    /// <inheritdoc/>
    public int Count => _items.Length;

    /// <inheritdoc/>
    public T this[int index] => _items[index];

    /// <summary>The elements, for loops without allocation.</summary>
    public ReadOnlySpan<T> AsSpan() => _items;

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();

    /// <inheritdoc/>
    public bool Equals(Sequence<T>? other) =>
        other is not null && (ReferenceEquals(this, other) || _items.AsSpan().SequenceEqual(other._items));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Sequence<T>);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        int hash = _items.Length;
        foreach (T item in _items)
        {
            hash = unchecked((hash * 31) + (item?.GetHashCode() ?? 0));
        }

        return hash;
    }
}

/// <summary>Builds <see cref="Sequence{T}"/> values; collection expressions use it.</summary>
public static class Sequence
{
    /// <summary>A sequence of a copy of <paramref name="items"/>.</summary>
    public static Sequence<T> Create<T>(ReadOnlySpan<T> items) => items.IsEmpty ? Sequence<T>.Empty : new(items.ToArray());

    /// <summary>A sequence of the elements of <paramref name="items"/>, in its order.</summary>
    public static Sequence<T> ToSequence<T>(this IEnumerable<T> items) => new([.. items]);
}
