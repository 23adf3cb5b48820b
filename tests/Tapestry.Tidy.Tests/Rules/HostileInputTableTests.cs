using System.Reflection;
using System.Text.RegularExpressions;
using FluentAssertions;
using Tapestry.Fuzz;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Tidy.Rules;

/// <summary>The table of hostile input in specs/50-network.md, section 15 names faults and tests that exist.</summary>
public sealed partial class HostileInputTableTests
{
    private const int FaultColumn = 2;
    private const int TestColumn = 4;

    [GeneratedRegex(@"`(?<name>[A-Za-z0-9_.]+)`")]
    private static partial Regex Quoted { get; }

    [GeneratedRegex(@"public (?:static )?(?:async )?(?:void|Task) (?<name>[A-Z][A-Za-z0-9_]+)\(")]
    private static partial Regex Method { get; }

    [Fact]
    public void Every_row_names_a_test_and_every_named_test_exists()
    {
        HashSet<string> tests =
        [
            .. Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
                .SelectMany(file => Method.Matches(File.ReadAllText(file)))
                .Select(match => match.Groups["name"].Value),
        ];
        IReadOnlyList<string[]> rows = Rows();
        rows.Should().HaveCountGreaterThan(20);
        rows.Where(row => Names(row[TestColumn]).Count == 0).Select(row => row[1]).Should().BeEmpty("each attempt has a test");
        rows.SelectMany(row => Names(row[TestColumn])).Where(name => !tests.Contains(name)).Should().BeEmpty();
    }

    [Fact]
    public void Every_named_fault_exists()
    {
        HashSet<string> faults =
        [
            .. FuzzTargets.All.SelectMany(target => target.Decoders).Select(method => method.DeclaringType!.Assembly).Distinct()
                .SelectMany(assembly => assembly.GetTypes()).Where(type => type.IsEnum)
                .SelectMany(type => type.GetFields(BindingFlags.Static | BindingFlags.Public).Select(field => $"{type.Name}.{field.Name}").Append(type.Name)),
        ];
        Rows().SelectMany(row => Names(row[FaultColumn])).Where(name => !faults.Contains(name)).Should().BeEmpty();
    }

    private static List<string> Names(string cell) => [.. Quoted.Matches(cell).Select(match => match.Groups["name"].Value)];

    private static IReadOnlyList<string[]> Rows()
    {
        string[] lines = File.ReadAllLines(Path.Combine(Repository.Root, "specs", "50-network.md"));
        return
        [
            .. lines.SkipWhile(line => !line.StartsWith("## 15. ", StringComparison.Ordinal))
                .SkipWhile(line => !line.StartsWith("|---", StringComparison.Ordinal)).Skip(1)
                .TakeWhile(line => line.StartsWith('|'))
                .Select(line => line.Split('|')),
        ];
    }
}
