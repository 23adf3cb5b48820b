using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using FluentAssertions;
using Tapestry.Libp2p.Wire;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules;

public sealed class MultistreamTests
{
    private const string Version = "/multistream/1.0.0\n";

    [Fact]
    public async Task Both_sides_agree_and_neither_reads_beyond()
    {
        (IDuplexPipe dialer, IDuplexPipe listener) = DuplexPipes.Create();
        Task<string?> response = MultistreamSelect.RespondAsync(listener, id => id == "/b", Hosts.Patience).AsTask();

        MultistreamSelect.WriteProposal(dialer.Output, "/b");
        dialer.Output.Write("first message"u8);
        await dialer.Output.FlushAsync(Hosts.Patience);

        (await response).Should().Be("/b");
        (await ReadTextAsync(listener.Input)).Should().Be("first message", "what is sent along with the proposal belongs to the protocol");

        listener.Output.Write("answer"u8);
        await listener.Output.FlushAsync(Hosts.Patience);
        await MultistreamSelect.ReadAnswerAsync(dialer.Input, "/b", Hosts.Patience);
        (await ReadTextAsync(dialer.Input)).Should().Be("answer");
    }

    [Fact]
    public async Task Bytes_on_the_wire_are_those_of_the_specification()
    {
        (IDuplexPipe dialer, IDuplexPipe listener) = DuplexPipes.Create();
        MultistreamSelect.WriteProposal(dialer.Output, "/noise");
        await dialer.Output.FlushAsync(Hosts.Patience);

        (await ReadTextAsync(listener.Input)).Should().Be("\u0013/multistream/1.0.0\n\u0007/noise\n");
    }

    [Fact]
    public async Task A_refusal_is_na_and_the_next_proposal_may_follow()
    {
        (IDuplexPipe dialer, IDuplexPipe listener) = DuplexPipes.Create();
        Task<string?> response = MultistreamSelect.RespondAsync(listener, id => id == "/b", Hosts.Patience).AsTask();
        await SendAsync(dialer, Version, "/a\n", "/b\n");

        (await response).Should().Be("/b");
        (await ReadTextAsync(dialer.Input)).Should().Be("\u0013/multistream/1.0.0\n\u0003na\n\u0003/b\n");
    }

    [Fact]
    public async Task A_dialer_learns_that_its_protocol_is_not_spoken()
    {
        (IDuplexPipe dialer, IDuplexPipe listener) = DuplexPipes.Create();
        await SendAsync(listener, Version, "na\n");

        await Faults(() => MultistreamSelect.ProposeAsync(dialer, "/a", Hosts.Patience).AsTask(), Libp2pFault.ProtocolNotSupported);
    }

    [Theory]
    [InlineData("/multistream/2.0.0\n", "/a\n", Libp2pFault.Malformed)]
    [InlineData("/multistream/1.0.0", "/a\n", Libp2pFault.Malformed)]
    [InlineData(Version, "/b\n", Libp2pFault.Malformed)]
    [InlineData(Version, "/a", Libp2pFault.Malformed)]
    [InlineData(Version, "", Libp2pFault.Malformed)]
    public async Task Answers_that_break_the_rules_have_names(string version, string answer, Libp2pFault fault)
    {
        (IDuplexPipe dialer, IDuplexPipe listener) = DuplexPipes.Create();
        await SendAsync(listener, version, answer);

        await Faults(() => MultistreamSelect.ProposeAsync(dialer, "/a", Hosts.Patience).AsTask(), fault);
    }

    [Fact]
    public async Task A_message_over_the_bound_is_refused_by_its_length_alone()
    {
        (IDuplexPipe dialer, IDuplexPipe listener) = DuplexPipes.Create();
        dialer.Output.Advance(Varint.Write(dialer.Output.GetSpan(9), MultistreamSelect.MaximumMessageLength + 1));
        await dialer.Output.FlushAsync(Hosts.Patience);

        await Faults(() => MultistreamSelect.RespondAsync(listener, _ => true, Hosts.Patience).AsTask(), Libp2pFault.TooLarge);
    }

    [Theory]
    [InlineData("8000", Libp2pFault.Malformed)]
    [InlineData("ffffffffffffffffff01", Libp2pFault.Malformed)]
    [InlineData("ff", Libp2pFault.ConnectionLost)]
    [InlineData("ffffffff7f", Libp2pFault.TooLarge)]
    [InlineData("132f6d756c", Libp2pFault.ConnectionLost)]
    [InlineData("00", Libp2pFault.Malformed)]
    public async Task Lengths_that_are_cut_off_too_long_or_not_the_shortest_have_names(string hex, Libp2pFault fault)
    {
        (IDuplexPipe left, IDuplexPipe right) = DuplexPipes.Create();
        await left.Output.WriteAsync(Convert.FromHexString(hex), Hosts.Patience);
        left.Output.Complete();

        (await FluentActions.Awaiting(async () => await MultistreamSelect.RespondAsync(right, _ => true, Hosts.Patience)).Should().ThrowAsync<Libp2pException>())
            .Which.Fault.Should().Be(fault);
    }

    [Fact]
    public async Task Endless_proposals_come_to_an_end()
    {
        (IDuplexPipe dialer, IDuplexPipe listener) = DuplexPipes.Create();
        Task<string?> response = MultistreamSelect.RespondAsync(listener, _ => false, Hosts.Patience).AsTask();
        await SendAsync(dialer, [Version, .. Enumerable.Repeat("/x\n", MultistreamSelect.MaximumProposals)]);

        await Faults(() => response, Libp2pFault.ProtocolNotSupported);
    }

    [Fact]
    public async Task The_first_proposal_that_the_remote_speaks_is_taken()
    {
        (IDuplexPipe dialer, IDuplexPipe listener) = DuplexPipes.Create();
        Task<string?> response = MultistreamSelect.RespondAsync(listener, id => id is "/b" or "/c", Hosts.Patience).AsTask();

        (await MultistreamSelect.ProposeAsync(dialer, ["/a", "/b", "/c"], Hosts.Patience)).Should().Be("/b");
        (await response).Should().Be("/b");
    }

    [Fact]
    public async Task A_dialer_learns_that_none_of_its_proposals_is_spoken()
    {
        (IDuplexPipe dialer, IDuplexPipe listener) = DuplexPipes.Create();
        _ = MultistreamSelect.RespondAsync(listener, _ => false, Hosts.Patience).AsTask();

        await Faults(() => MultistreamSelect.ProposeAsync(dialer, ["/a", "/b"], Hosts.Patience).AsTask(), Libp2pFault.ProtocolNotSupported);
    }

    [Fact]
    public async Task A_dialer_that_leaves_has_chosen_nothing()
    {
        (IDuplexPipe dialer, IDuplexPipe listener) = DuplexPipes.Create();
        await SendAsync(dialer, Version, "/a\n");
        await dialer.Output.CompleteAsync();

        (await MultistreamSelect.RespondAsync(listener, _ => false, Hosts.Patience)).Should().BeNull();
    }

    private static async Task Faults(Func<Task> negotiation, Libp2pFault fault) =>
        (await negotiation.Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(fault);

    private static async Task SendAsync(IDuplexPipe pipe, params string[] lines)
    {
        foreach (string line in lines)
        {
            await LengthPrefix.WriteAsync(pipe.Output, Encoding.UTF8.GetBytes(line), Hosts.Patience);
        }

        await pipe.Output.FlushAsync(Hosts.Patience);
    }

    private static async Task<string> ReadTextAsync(PipeReader input)
    {
        ReadResult result = await input.ReadAsync(Hosts.Patience);
        string text = Encoding.UTF8.GetString(result.Buffer);
        input.AdvanceTo(result.Buffer.End);
        return text;
    }
}
