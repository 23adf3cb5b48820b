using System.Text.Json;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Configuration;

/// <summary>What a member shows to be written into a genesis: a name and three public keys, as hexadecimal.</summary>
/// <param name="Name">A name for people, 1 to 64 characters.</param>
/// <param name="Member">The signing key: the member id.</param>
/// <param name="Peer">The key of its libp2p identity.</param>
/// <param name="Checkpoint">The key that signs its ledger checkpoints.</param>
internal sealed record MemberCard(string Name, string Member, string Peer, string Checkpoint)
{
    private const int NameLengthMax = 64;
    private const int FileBytesMax = 4096;

    /// <summary>The libp2p peer id that <see cref="Peer"/> gives; what a peer list ends its addresses with.</summary>
    public string PeerId => PublicKey.TryParse(Peer, out PublicKey key) ? Libp2p.PeerId.From(key).ToString() : "";

    /// <summary>The card of a member whose keys are at hand.</summary>
    public static MemberCard Of(string name, KeyFile keys) => new(
        name, keys.Member.PublicKey.ToString(), keys.Peer.PublicKey.ToString(), keys.Checkpoint.PublicKey.ToString());

    /// <summary>Reads a card file.</summary>
    /// <exception cref="CliException">It is missing or not a card.</exception>
    public static MemberCard Read(string path)
    {
        try
        {
            FileInfo file = new(path);
            if (!file.Exists || file.Length > FileBytesMax)
            {
                throw Malformed(path, file.Exists ? $"it has more than {FileBytesMax} bytes" : "there is no such file");
            }

            MemberCard card = JsonSerializer.Deserialize<MemberCard>(File.ReadAllText(path), Envelope.Format)
                ?? throw Malformed(path, "it is empty");
            _ = card.ToMember(path);
            return card;
        }
        catch (JsonException error)
        {
            throw Malformed(path, error.Message);
        }
    }

    /// <summary>The card as one line of JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Envelope.Format);

    /// <summary>The member as a genesis names it.</summary>
    /// <param name="source">Where the card came from, for the error.</param>
    /// <exception cref="CliException">A key or the name is malformed.</exception>
    public Member ToMember(string source)
    {
        if (string.IsNullOrWhiteSpace(Name) || Name.Length > NameLengthMax)
        {
            throw Malformed(source, $"'name' has to have 1 to {NameLengthMax} characters");
        }

        return new Member(
            new MemberId(Key(source, "member", Member)), Name, Key(source, "peer", Peer), Key(source, "checkpoint", Checkpoint));
    }

    private static PublicKey Key(string source, string field, string? text) =>
        PublicKey.TryParse(text, out PublicKey key)
            ? key
            : throw Malformed(source, $"'{field}' is not 64 hexadecimal digits");

    private static CliException Malformed(string path, string why) => new(
        "card-malformed", $"The member card {path} cannot be used: {why}.",
        "A card is what 'tapestry init' prints; ask its member for it again.", ExitCode.Configuration);
}
