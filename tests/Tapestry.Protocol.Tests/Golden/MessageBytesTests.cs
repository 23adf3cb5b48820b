using System.Text;
using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Protocol.Tests.Golden;

/// <summary>SHA-256 of the encoding of one fixed example of everything that is signed, sent or named. A change here is a change of the wire.</summary>
public sealed class MessageBytesTests
{
    private const string Expected = """
        Manifest: 1a1e730c86906f3b3b77afd8d89cc8c798cd9c92c48e9263915bcae45d0a7b17
        Receipt: 33db55a5d0b937278487affc6ed3116cbd4af5ff09854af6191955255a90467b
        Settlement: a59bbeb51db402f62c828ed612696aa7e700b8c7e32ae243f85acd9685e9fa7b
        Propose: 80da42215a16fa3455e121294556e7b0533d95ed007f9ddfb42d010114aa64a9
        Notarize: 99622dbc343781e33a697c70bb603ee365145c7d59686c7a4d1f009dcaf1f260
        Nullify: 0995185ee3ca93775ee5e6ce0d5b325b9bbfb867f86ad8d0aab6e7ad85aff36a
        Finalize: 2bdc2d593383b7c8d5fea0ff83b776d30e73f1c378c01e30b55525d449c0213b
        Certificate of Notarize: abb4b054b4d77e20f9593dc58263b1cda7ca632c6b1d58d48dffe513653896ef
        Certificate of Nullify: c54d7efcb11eddf469a34dd63828a1414f876745a4cba3a2b20fd7f91e4c8f61
        Certificate of Finalize: c26941b5a2bc559e81fcce670d1cb73cf17a15445aa0f551eb9235a367026092
        Status: 679fef9a48d4ae764238f1a4178501772656ccb016ad7c05c1b824723b57e585
        Want: 91f6fbddf0fe52c8df88ea975efc656b80889c0be82031a6dd6acbd386de84a9
        Set: fb769069afc2e6ad258fe0bf5db08f88900e3ded839e70d242af96811c53c6bd
        Result: 72ce94a5568c4b6c39b7e4112327db0abb20cbe24c0793d98d4bab6e1c3e9420
        Void of Set: af199840253448d7fc66c952c095cf3e2a779cda342968808b4f87b507f7e4d2
        Void of Result: 4b9757d319e0b4f802ebab622d41e5ac1927b4f2bd60ce19c2caf325fcd93ab4
        Plan: 7f92bf191582e068e3e7044952413fc6d52fcf38c22c1568a669eba2a3026507
        Genesis: d3d0550ff5af2969e2022b2c1a8f4f648cdeb2f0ceec4ea2ee82cc520d7fa6c3
        Committee: a8d9f9c9764190e4b37486aa05b315ab586a11d085c0bcfdf77301fafca741dd
        First leader: db0743e2dcba9ebf2419bde0881beea966689a26fc44f9bef7adb2970ed37ee8
        First owner: db0743e2dcba9ebf2419bde0881beea966689a26fc44f9bef7adb2970ed37ee8
        """;

    [Fact]
    public void Bytes_are_what_they_were() => Describe().Should().Be(Expected);

    private static string Describe()
    {
        Samples samples = new(20261122);
        StringBuilder text = new();
        foreach (PeerMessage message in samples.Messages())
        {
            string name = message is PeerMessage.Signed signed ? signed.Statement.Type.ToString()
                : message is PeerMessage.Certified certified ? $"Certificate of {certified.Certificate.Kind}" : message.GetType().Name;
            Add(text, name, Digest.Of(message.Encode().Span));
        }

        foreach (DecidedValue value in samples.Values())
        {
            Add(text, value is DecidedValue.Void empty ? $"Void of {empty.Instance.Agreement}" : value.GetType().Name, value.Digest);
        }

        Genesis genesis = samples.Genesis();
        Add(text, "Plan", genesis.Plan.Digest);
        Add(text, "Genesis", genesis.Digest);
        Committee committee = genesis.FormCommittee();
        Add(text, "Committee", committee.Digest);
        Add(text, "First leader", Digest.Of(committee.Leader(samples.Instance(AgreementKind.Set, committee), 1).Key.ToArray()));
        Add(text, "First owner", Digest.Of(committee.SliceOrder(samples.Digest(), 1, 0)[0].Key.ToArray()));
        return text.ToString().TrimEnd();
    }

    private static void Add(StringBuilder text, string name, Digest digest) => text.Append(name).Append(": ").Append(digest).Append('\n');
}
