using System.Globalization;
using System.Text.Json;
using FluentAssertions;
using Tapestry.Cli;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>The demo as a process.</summary>
public sealed class DemoTests
{
    /// <summary>As few as a kill allows: this bounds the partners' own training too.</summary>
    private const int Rounds = Demo.DemoKilling.RoundsMin;

    [Theory]
    [InlineData("6", "--kill", "leader")]
    [InlineData("6", "--kill")]
    [InlineData("0")]
    public async Task Too_few_rounds_are_refused_before_anything_is_made(string rounds, params string[] kill)
    {
        (int exitCode, string code, string message) = await TapestryProcess.FailAsync(["demo", "--rounds", rounds, .. kill]);

        exitCode.Should().Be((int)ExitCode.Usage);
        code.Should().Be("usage");
        message.Should().Contain($"--rounds {rounds}").And.EndWith(kill.Length > 0 ? "at least 7." : "at least 1.");
    }

    [TorchFact]
    public async Task A_demo_with_a_kill_reports_what_scripts_rely_on()
    {
        (int exitCode, JsonElement output) = await TapestryProcess.RunAsync(
            TimeSpan.FromMinutes(15), "demo", "--rounds", Rounds.ToString(CultureInfo.InvariantCulture), "--kill", "manifest");

        exitCode.Should().Be(0, output.ToString());
        output.GetProperty("schema").GetString().Should().Be("tapestry/demo/1");
        JsonElement data = output.GetProperty("data");
        data.GetProperty("rounds").GetInt64().Should().BeGreaterThanOrEqualTo(Rounds);
        MembersShouldAgree([.. data.GetProperty("members").EnumerateArray()]);
        LossesShouldBeWhole([.. data.GetProperty("loss").EnumerateArray()], data.GetProperty("members"));
        JsonElement overall = data.GetProperty("overall");
        overall.GetProperty("base").GetDouble().Should().BePositive().And.BeLessThan(overall.GetProperty("untrained").GetDouble());
        overall.GetProperty("alone").EnumerateObject().Should().HaveCount(4).And.OnlyContain(member => member.Value.GetDouble() > 0);
        JsonElement bytes = data.GetProperty("bytes");
        bytes.GetProperty("perRound").GetInt64().Should().BePositive().And.BeLessThan(bytes.GetProperty("asFp32").GetInt64());
        bytes.GetProperty("bound").GetInt64().Should().BePositive();
        bytes.GetProperty("least").GetInt64().Should().BePositive().And.BeLessThan(bytes.GetProperty("bound").GetInt64());
        bytes.GetProperty("overLeast").GetDouble().Should().BeGreaterThanOrEqualTo(1, "nobody goes on from a round without its updates or what they came to");
        JsonElement ledger = data.GetProperty("ledger");
        ledger.GetProperty("verified").GetBoolean().Should().BeTrue();
        ledger.GetProperty("entries").GetInt64().Should().BePositive();
        ledger.GetProperty("root").GetString().Should().HaveLength(64);
        data.GetProperty("kill").GetProperty("held").GetBoolean().Should().BeTrue(data.GetProperty("kill").ToString());
    }

    private static void MembersShouldAgree(JsonElement[] members)
    {
        members.Should().HaveCount(4);
        members.Select(member => member.GetProperty("peerId").GetString()).Should().OnlyHaveUniqueItems().And.NotContainNulls();
        members.Select(member => member.GetProperty("baseDigest").GetString()).Distinct().Should().ContainSingle().Which.Should().HaveLength(64);
        members.Should().OnlyContain(member => member.GetProperty("languages").GetArrayLength() == 5);
        members.Should().OnlyContain(member => member.GetProperty("bytesSent").GetInt64() > 0 && member.GetProperty("bytesReceived").GetInt64() > 0);
    }

    private static void LossesShouldBeWhole(JsonElement[] losses, JsonElement members)
    {
        Dictionary<string, string> owners = members.EnumerateArray()
            .SelectMany(member => member.GetProperty("languages").EnumerateArray().Select(language => (language, member)))
            .ToDictionary(pair => pair.language.GetString()!, pair => pair.member.GetProperty("name").GetString()!);
        losses.Should().HaveCount(20);
        losses.ToDictionary(loss => loss.GetProperty("language").GetString()!, loss => loss.GetProperty("owner").GetString()!).Should().BeEquivalentTo(owners);
        string[] figures = ["untrained", "base", "aloneOwner", "aloneOthers", "derivativeOwner", "derivativeOthers"];
        losses.Should().OnlyContain(loss => figures.All(figure => loss.GetProperty(figure).GetDouble() > 0));
    }
}
