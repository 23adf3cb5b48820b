namespace Tapestry.Testing;

/// <summary>Where the checkout and the shared test vectors are.</summary>
public static class Repository
{
    /// <summary>The folder that holds Tapestry.P2P.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Vectors by others: $TAPESTRY_VECTORS, else ../shared/vectors beside the checkout; null where absent.</summary>
    public static string? Vectors { get; } = FindVectors();

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Tapestry.P2P.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("Tests must run from inside the checkout.");
    }

    private static string? FindVectors()
    {
        string folder = Environment.GetEnvironmentVariable("TAPESTRY_VECTORS")
            ?? Path.GetFullPath(Path.Combine(Root, "..", "shared", "vectors"));
        return Directory.Exists(folder) ? folder : null;
    }
}
