using System.Diagnostics;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>How long a test waits for a process that it has started.</summary>
internal static class ProcessPatience
{
    /// <summary>For a process that has little to do, on a machine that has much.</summary>
    public static readonly TimeSpan Default = TimeSpan.FromMinutes(2);

    /// <summary>The next line that a process says; null when it says no more.</summary>
    public static async Task<string?> ReadLineAsync(this Process process)
    {
        Task<string?> line = process.StandardOutput.ReadLineAsync();
        await process.InTimeAsync(line, Default);
        return await line;
    }

    /// <summary>Waits until a process has ended.</summary>
    public static Task EndAsync(this Process process) => process.InTimeAsync(process.WaitForExitAsync(), Default);

    /// <summary>Waits for something of a process, and kills it with all that it has started if that takes too long.</summary>
    /// <exception cref="TimeoutException">It took too long.</exception>
    public static async Task InTimeAsync(this Process process, Task expected, TimeSpan atMost)
    {
        try
        {
            await expected.WaitAsync(atMost);
        }
        catch (TimeoutException tooLate)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            string command = string.Join(' ', process.StartInfo.ArgumentList.Prepend(process.StartInfo.FileName));
            throw new TimeoutException($"Killed after {atMost} without what was waited for: {command}", tooLate);
        }
    }
}
