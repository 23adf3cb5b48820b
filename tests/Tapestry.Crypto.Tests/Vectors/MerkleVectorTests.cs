using System.Text.Json;
using FluentAssertions;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Crypto.Tests.Vectors;

/// <summary>transparency-dev/merkle testdata: 98 inclusion and 98 consistency proofs, valid and adversarial.</summary>
public sealed class MerkleVectorTests
{
    // The inputs and the root of transparency-dev/merkle testonly/constants.go.
    private static readonly string[] Leaves =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

    [Fact]
    public void The_tree_of_eight_leaves_has_the_published_root()
    {
        Digest[] hashes = [.. Leaves.Select(leaf => MerkleTree.LeafHash(Hex.Bytes(leaf)))];
        hashes[0].ToString().Should().Be("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        MerkleTree.Root(hashes).ToString().Should().Be("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
        MerkleTree.Root([]).ToString().Should().Be("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    [VectorsFact]
    public void Every_inclusion_case_is_answered_as_published()
    {
        int cases = 0;
        foreach (JsonElement test in Read("inclusion"))
        {
            cases++;
            bool holds = TryDigest(test, "leafHash", out Digest leafHash)
                && TryDigest(test, "root", out Digest root)
                && TryProof(test, out Digest[] proof)
                && MerkleProof.VerifyInclusion(Number(test, "leafIdx"), Number(test, "treeSize"), leafHash, proof, root);
            holds.Should().Be(!test.GetProperty("wantErr").GetBoolean(), "{0}", test);
        }

        cases.Should().Be(98);
    }

    [VectorsFact]
    public void Every_consistency_case_is_answered_as_published()
    {
        int cases = 0;
        foreach (JsonElement test in Read("consistency"))
        {
            cases++;
            bool holds = TryProof(test, out Digest[] proof)
                && MerkleProof.VerifyConsistency(
                    Number(test, "size1"), Number(test, "size2"), Placeholder(test, "root1"), Placeholder(test, "root2"), proof);
            holds.Should().Be(!test.GetProperty("wantErr").GetBoolean(), "{0}", test);
        }

        cases.Should().Be(98);
    }

    private static IEnumerable<JsonElement> Read(string folder)
    {
        string root = Path.Combine(Repository.Vectors!, "merkle", folder);
        foreach (string path in Directory.EnumerateFiles(root, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            yield return JsonElement.Parse(File.ReadAllBytes(path));
        }
    }

    // Numbers up to 2^64 - 1 occur; those above a long become negative, which no tree has.
    private static long Number(JsonElement test, string name) => unchecked((long)test.GetProperty(name).GetUInt64());

    // Some cases name their roots with a few words: any digest will do that is equal exactly when the words are.
    private static Digest Placeholder(JsonElement test, string name) =>
        TryDigest(test, name, out Digest digest) ? digest : Digest.Of(test.GetProperty(name).GetBytesFromBase64());

    // A hash of another length than 32 cannot become a digest: it is refused where a peer's bytes are decoded.
    private static bool TryDigest(JsonElement test, string name, out Digest digest) => TryDigest(test.GetProperty(name), out digest);

    private static bool TryDigest(JsonElement element, out Digest digest)
    {
        byte[] bytes = element.ValueKind == JsonValueKind.Null ? [] : element.GetBytesFromBase64();
        digest = bytes.Length == Digest.Length ? new Digest(bytes) : default;
        return bytes.Length == Digest.Length;
    }

    private static bool TryProof(JsonElement test, out Digest[] proof)
    {
        JsonElement element = test.GetProperty("proof");
        int length = element.ValueKind == JsonValueKind.Null ? 0 : element.GetArrayLength();
        proof = new Digest[length];
        for (int i = 0; i < length; i++)
        {
            if (!TryDigest(element[i], out proof[i]))
            {
                return false;
            }
        }

        return true;
    }
}
