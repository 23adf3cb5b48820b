using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FluentAssertions;
using Tapestry.Cli;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>The verbs as scripts see them: processes that print one object and end with a documented code.</summary>
public sealed class CommandLineTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Init_prints_the_public_card_and_never_overwrites_keys()
    {
        (int exitCode, JsonElement output) = await TapestryProcess.RunAsync("init", "--data", _folder.At("a"), "--name", "a");

        exitCode.Should().Be(0);
        output.GetProperty("schema").GetString().Should().Be("tapestry/init/1");
        output.GetProperty("data").GetProperty("member").GetString().Should().HaveLength(64);
        File.GetUnixFileMode(_folder.At("a/keys")).Should().Be(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        (await TapestryProcess.FailAsync("init", "--data", _folder.At("a"))).Code.Should().Be("keys-exist");
    }

    [Fact]
    public async Task A_network_is_created_from_cards_and_says_what_a_round_costs()
    {
        string[] cards = await MakeCardsAsync();

        (int exitCode, JsonElement output) = await TapestryProcess.RunAsync(
            ["network", "create", "--name", "cloth", "--preset", "small", "--output", _folder.At("genesis"), "--card", .. cards]);

        exitCode.Should().Be(0);
        JsonElement data = output.GetProperty("data");
        data.GetProperty("committee").GetArrayLength().Should().Be(4);
        JsonElement role = data.GetProperty("round")[0];
        role.GetProperty("sentBytes").GetInt64().Should().BePositive();
        role.GetProperty("diskBytes").GetInt64().Should().BeGreaterThan(role.GetProperty("receivedBytes").GetInt64());
        File.Exists(_folder.At("genesis")).Should().BeTrue();
    }

    [Fact]
    public async Task A_plan_that_cannot_meet_its_deadlines_is_refused()
    {
        string[] cards = await MakeCardsAsync();

        (int exitCode, string code, string message) = await TapestryProcess.FailAsync(
            ["network", "create", "--name", "cloth", "--preset", "small", "--link-mbit", "0.01", "--output", _folder.At("genesis"), "--card", .. cards]);

        exitCode.Should().Be((int)ExitCode.Configuration);
        code.Should().Be("plan-too-slow");
        message.Should().Contain("move updates").And.Contain("contributeMs");
        File.Exists(_folder.At("genesis")).Should().BeFalse();
    }

    [Fact]
    public async Task A_committee_below_four_has_to_be_asked_for()
    {
        string[] cards = (await MakeCardsAsync())[..3];
        string[] create = ["network", "create", "--name", "cloth", "--preset", "tiny", "--output", _folder.At("genesis"), "--card", .. cards];

        (await TapestryProcess.FailAsync(create)).Message.Should().Contain("--no-fault-tolerance");
        (await TapestryProcess.RunAsync([.. create, "--no-fault-tolerance"])).ExitCode.Should().Be(0);
    }

    [Theory]
    [InlineData("training:threads=-1", "0 to 1024 threads")]
    [InlineData("network:listen=localhost:1", "multiaddress")]
    [InlineData("network:announce=/ip4/192.0.2.1/tcp/0", "host and a TCP port")]
    [InlineData("network:announce=/ip4/192.0.2.1/tcp/1,nowhere", "separated by commas")]
    [InlineData("network:reach=somehow", "auto, direct or relayed")]
    [InlineData("network:gossip=perhaps", "on or off")]
    [InlineData("http:listen=nowhere", "address:port")]
    [InlineData("training:precision=fp8", "fp32 or bf16")]
    public async Task A_setting_out_of_range_is_named_with_its_value_and_range(string setting, string range)
    {
        (int exitCode, _, string message) = await TapestryProcess.FailAsync("config", "--data", _folder.Path, "--set", setting);

        exitCode.Should().Be((int)ExitCode.Configuration);
        message.Should().Contain(setting.Split('=')[0]).And.Contain(setting.Split('=')[1]).And.Contain(range);
    }

    [Fact]
    public async Task A_misspelt_key_in_the_settings_file_is_refused()
    {
        File.WriteAllText(_folder.At("tapestry.json"), """{"training":{"thread":"2"}}""");

        (await TapestryProcess.FailAsync("config", "--data", _folder.Path)).Message.Should().Contain("training:thread");
    }

    [Fact]
    public async Task Running_without_a_member_or_a_genesis_says_what_to_do()
    {
        (await TapestryProcess.FailAsync("run", "--data", _folder.At("none"))).Code.Should().Be("not-initialised");
        await TapestryProcess.RunAsync("init", "--data", _folder.At("a"));
        (await TapestryProcess.FailAsync("run", "--data", _folder.At("a"))).Code.Should().Be("genesis-malformed");
    }

    [Fact]
    public async Task Status_of_a_daemon_that_does_not_run_is_unreachable()
    {
        using TcpListener free = new(IPAddress.Loopback, 0);
        free.Start();
        int port = ((IPEndPoint)free.LocalEndpoint).Port;
        free.Stop();

        (int exitCode, string code, _) = await TapestryProcess.FailAsync("status", "--url", $"http://127.0.0.1:{port}");

        exitCode.Should().Be((int)ExitCode.Unreachable);
        code.Should().Be("not-running");
    }

    [Theory]
    [InlineData("not an address", "it is not a multiaddress")]
    [InlineData("/ip4/127.0.0.1/tcp/4001", "lacks /p2p/")]
    public void A_line_of_a_peer_list_that_is_no_address_is_named(string line, string why)
    {
        Action read = () => Network.PeerList.Parse(["# comment", "", line], "peers.txt");

        read.Should().Throw<CliException>().Which.Message.Should().Contain("Line 3").And.Contain(why);
    }

    private async Task<string[]> MakeCardsAsync()
    {
        string[] names = ["a", "b", "c", "d"];
        foreach (string name in names)
        {
            await TapestryProcess.RunAsync("init", "--data", _folder.At(name), "--name", name);
        }

        return [.. names.Select(name => _folder.At($"{name}/card.json"))];
    }
}
