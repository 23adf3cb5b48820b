using System.Collections.Immutable;
using System.Text.Json;

namespace Tapestry.Node.Demo;

/// <summary>One language of the demonstration.</summary>
/// <param name="Code">The text's file name without its ending, for example "por_PT".</param>
/// <param name="Name">Its English name.</param>
/// <param name="Script">The script it is written in.</param>
/// <param name="Family">The family that its relatives at the other partners belong to.</param>
/// <param name="Owner">Which partner has the text, 0 to 3; nobody else has it.</param>
public sealed record DemoLanguage(string Code, string Name, string Script, string Family, int Owner);

/// <summary>The texts of the demonstration and who owns which.</summary>
/// <remarks>Texts/SOURCE.md says where they come from. Related languages stand at different partners, so that each can learn from the others.</remarks>
public static class DemoCorpora
{
    /// <summary>Partners of the demonstration.</summary>
    public const int Partners = 4;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The folder of the texts beside the program.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "Demo", "Texts");

    /// <summary>All languages, in the order of the table.</summary>
    public static ImmutableArray<DemoLanguage> Languages { get; } = Read();

    /// <summary>The languages of one partner.</summary>
    public static IEnumerable<DemoLanguage> OwnedBy(int partner) => Languages.Where(language => language.Owner == partner);

    /// <summary>The file of a language's text: the articles, a blank line between two.</summary>
    public static string PathOf(DemoLanguage language)
    {
        ArgumentNullException.ThrowIfNull(language);
        return Path.Combine(Folder, language.Code + ".txt");
    }

    private static ImmutableArray<DemoLanguage> Read()
    {
        byte[] json = File.ReadAllBytes(Path.Combine(Folder, "languages.json"));
        return [.. JsonSerializer.Deserialize<Table>(json, Json)!.Languages];
    }

    private sealed record Table(DemoLanguage[] Languages);
}
