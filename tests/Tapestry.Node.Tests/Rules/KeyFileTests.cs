using FluentAssertions;
using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Xunit;

namespace Tapestry.Node.Tests.Rules;

public sealed class KeyFileTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_new_key_file_is_its_owners_only_and_gives_the_same_keys_again()
    {
        string path = _folder.At("keys");
        KeyFile.Create(path);
        File.GetUnixFileMode(path).Should().Be(OwnerOnly);
        using KeyFile first = KeyFile.Read(path);
        using KeyFile second = KeyFile.Read(path);
        second.Member.PublicKey.Should().Be(first.Member.PublicKey);
        new[] { first.Member.PublicKey, first.Peer.PublicKey, first.Checkpoint.PublicKey }.Should().OnlyHaveUniqueItems("one key, one purpose");
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    public void A_key_file_that_others_can_open_is_refused_with_the_command_that_mends_it(UnixFileMode more)
    {
        string path = _folder.At("keys");
        KeyFile.Create(path);
        File.SetUnixFileMode(path, OwnerOnly | more);
        FluentActions.Invoking(() => KeyFile.Read(path)).Should().Throw<CliException>()
            .Where(error => error.Code == "keys-exposed" && error.Hint.Contains("chmod 600", StringComparison.Ordinal));
    }

    [Fact]
    public void Keys_are_never_overwritten_and_a_cut_file_is_refused()
    {
        string path = _folder.At("keys");
        FluentActions.Invoking(() => KeyFile.Read(path)).Should().Throw<CliException>().Where(error => error.Code == "not-initialised");
        KeyFile.Create(path);
        byte[] bytes = File.ReadAllBytes(path);
        FluentActions.Invoking(() => KeyFile.Create(path)).Should().Throw<CliException>().Where(error => error.Code == "keys-exist");
        File.ReadAllBytes(path).Should().Equal(bytes);

        File.WriteAllBytes(path, bytes[..^2]);
        FluentActions.Invoking(() => KeyFile.Read(path)).Should().Throw<CliException>().Where(error => error.Code == "keys-malformed");
    }
}
