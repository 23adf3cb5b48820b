using System.IO.Pipelines;

namespace Tapestry.Libp2p;

/// <summary>Waits for a remote that has nothing more to say.</summary>
internal static class StreamEnd
{
    /// <summary>Reads and drops until the remote has closed its direction, so that disposal ends the stream without a reset.</summary>
    /// <returns>How many bytes were dropped.</returns>
    internal static async Task<long> WaitAsync(PipeReader input, CancellationToken cancelled)
    {
        long dropped = 0;
        while (true)
        {
            ReadResult result = await input.ReadAsync(cancelled);
            dropped += result.Buffer.Length;
            input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return dropped;
            }
        }
    }
}
