using System.IO.Pipelines;

namespace Tapestry.Libp2p.Tests;

/// <summary>Two pipe ends in memory, each the other's remote.</summary>
internal static class DuplexPipes
{
    internal static (IDuplexPipe Left, IDuplexPipe Right) Create() => Create(PipeOptions.Default);

    internal static (IDuplexPipe Left, IDuplexPipe Right) Create(PipeOptions options)
    {
        Pipe leftToRight = new(options);
        Pipe rightToLeft = new(options);
        return (new End(rightToLeft.Reader, leftToRight.Writer), new End(leftToRight.Reader, rightToLeft.Writer));
    }

    private sealed record End(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
