using System.IO.Pipelines;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>Where a handler writes a response that is a sequence of frames.</summary>
public sealed class ResponseFrames
{
    private readonly PipeWriter _output;

    internal ResponseFrames(PipeWriter output) => _output = output;

    /// <summary>Sends one frame; waits while the requester is behind.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> frame, CancellationToken cancelled) =>
        LengthPrefix.WriteAsync(_output, frame, cancelled);
}
