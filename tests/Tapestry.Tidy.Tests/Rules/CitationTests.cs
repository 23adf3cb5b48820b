using System.Text.RegularExpressions;
using FluentAssertions;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Tidy.Rules;

/// <summary>Every specification section that code or another specification cites exists.</summary>
public sealed partial class CitationTests
{
    private static readonly string[] SourceFolders = ["crypto", "protocol", "node", "sim", "tests", "specs"];
    private static readonly string[] SourceEndings = [".cs", ".md", ".cpp", ".h", ".sh", ".mjs", ".py"];

    [GeneratedRegex(@"specs/(?<file>[0-9]{2}-[a-z-]+\.md)(?:, section (?<section>[0-9]+(?:\.[0-9]+)*))?")]
    private static partial Regex Citation { get; }

    [GeneratedRegex(@"^#+ (?<section>[0-9]+(?:\.[0-9]+)*)[. ]", RegexOptions.Multiline)]
    private static partial Regex Heading { get; }

    [Fact]
    public void Every_cited_specification_section_exists()
    {
        Dictionary<string, HashSet<string>> sections = Directory.GetFiles(Path.Combine(Repository.Root, "specs"), "*.md")
            .ToDictionary(file => Path.GetFileName(file), SectionsOf);
        List<string> missing = [];
        foreach (string file in SourceFiles())
        {
            foreach (Match match in Citation.Matches(File.ReadAllText(file)))
            {
                string section = match.Groups["section"].Value;
                bool exists = sections.TryGetValue(match.Groups["file"].Value, out HashSet<string>? known)
                    && (section.Length == 0 || known.Contains(section));
                if (!exists)
                {
                    missing.Add($"{Path.GetRelativePath(Repository.Root, file)}: {match.Value}");
                }
            }
        }

        missing.Should().BeEmpty();
    }

    [Fact]
    public void The_specifications_are_all_there()
    {
        string[] expected =
        [
            "00-glossary.md", "10-wire.md", "20-agreement.md", "30-rounds.md", "40-ledger.md", "50-network.md",
            "60-training.md", "70-simulation.md", "90-dependencies.md",
        ];
        expected.Where(name => !File.Exists(Path.Combine(Repository.Root, "specs", name))).Should().BeEmpty();
    }

    private static HashSet<string> SectionsOf(string file) =>
        [.. Heading.Matches(File.ReadAllText(file)).Select(match => match.Groups["section"].Value)];

    private static IEnumerable<string> SourceFiles() =>
        SourceFolders.Select(folder => Path.Combine(Repository.Root, folder))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            .Where(file => SourceEndings.Contains(Path.GetExtension(file), StringComparer.Ordinal))
            .Where(file => !file.Contains("/node_modules/", StringComparison.Ordinal)
                && !file.EndsWith(nameof(CitationTests) + ".cs", StringComparison.Ordinal));
}
