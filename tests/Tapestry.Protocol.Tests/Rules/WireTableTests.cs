using FluentAssertions;
using Tapestry.Protocol.Messages;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>Every message type has its row in specs/10-wire.md: type, message, from, to, signed over what, size bound.</summary>
public sealed class WireTableTests
{
    private const int Columns = 6;

    public static TheoryData<MessageType> Types => [.. Enum.GetValues<MessageType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_message_type_has_a_row(MessageType type)
    {
        string[] row = Rows().Should().ContainSingle(cells => cells[0] == ((byte)type).ToString(System.Globalization.CultureInfo.InvariantCulture)).Subject;
        row[1].Should().Be(type.ToString());
        row.Should().OnlyContain(static cell => cell.Length > 0);
        row[5].Should().Be(type == MessageType.Manifest ? $"{Limits.ManifestBytes / 1024} KiB" : $"{Limits.MessageBytes / 1024} KiB");
    }

    [Fact]
    public void Every_row_is_a_message_type() => Rows().Should().HaveCount(Enum.GetValues<MessageType>().Length);

    private static IEnumerable<string[]> Rows()
    {
        string section = File.ReadAllText(Path.Combine(Repository.Root, "specs", "10-wire.md")).Split("\n## ").Single(static part => part.StartsWith("3. ", StringComparison.Ordinal));
        return section.Split('\n')
            .Where(static line => line.StartsWith('|'))
            .Select(static line => line.Trim('|', ' ').Split('|', StringSplitOptions.TrimEntries))
            .Where(static cells => cells.Length == Columns && byte.TryParse(cells[0], out _));
    }
}
