namespace Tapestry.Benchmarks;

/// <summary>Where the checkout is: peers and texts are read from it.</summary>
internal static class Checkout
{
    /// <summary>The folder that holds Tapestry.P2P.sln.</summary>
    internal static string Folder { get; } = Find();

    private static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Tapestry.P2P.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("Benchmarks run from inside the checkout.");
    }
}
