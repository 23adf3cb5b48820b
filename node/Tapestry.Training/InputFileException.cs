namespace Tapestry.Training;

/// <summary>A file that somebody gave us cannot be used as it is: a corpus, a checkpoint or a model.</summary>
public sealed class InputFileException : IOException
{
    /// <summary>Says which file, where in it, and what to do.</summary>
    /// <param name="path">The file.</param>
    /// <param name="byteOffset">The first byte that is wrong; -1 where no byte is to blame.</param>
    /// <param name="problem">What is wrong and what to do, one or two sentences.</param>
    public InputFileException(string path, long byteOffset, string problem)
        : base(byteOffset < 0 ? $"{path}: {problem}" : $"{path}, byte {byteOffset}: {problem}")
    {
        Path = path;
        ByteOffset = byteOffset;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The first byte that is wrong; -1 where no byte is to blame.</summary>
    public long ByteOffset { get; }
}
