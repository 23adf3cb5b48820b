using System.IO.MemoryMappedFiles;

namespace Tapestry.Training.Text;

/// <summary>A file's bytes, mapped into memory for reading.</summary>
/// <remarks>The file must not be shortened while it is mapped: the operating system would end the process.</remarks>
internal sealed unsafe class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    /// <summary>Maps <paramref name="path"/>.</summary>
    /// <exception cref="InputFileException">The file is empty, which cannot be mapped and holds no text.</exception>
    internal MappedFile(string path)
    {
        Path = path;
        Length = new FileInfo(path).Length;
        if (Length == 0)
        {
            throw new InputFileException(path, 0, "the file is empty. Remove it from the list or put text in it.");
        }

        _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, 0, MemoryMappedFileAccess.Read);
        _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _start = start + _view.PointerOffset;
    }

    internal string Path { get; }

    internal long Length { get; }

    /// <summary>Bytes <paramref name="offset"/> to <paramref name="offset"/> + <paramref name="length"/>, valid until disposal.</summary>
    internal ReadOnlySpan<byte> Slice(long offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        // Inside the mapping by the checks above; the view is held by this object, which the caller keeps alive.
        return new ReadOnlySpan<byte>(_start + offset, length);
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }
}
