using System.Text;
using System.Text.Json;
using FluentAssertions;
using Tapestry.Testing;

namespace Tapestry.Crypto.Tests.Vectors;

/// <summary>C2SP/CCTV ed25519/ed25519vectors.json: every encoding corner in which verifiers differ.</summary>
public sealed class Ed25519EdgeCaseTests
{
    // Which condition of the rule (the numbers in Ed25519's remarks) each flag breaks.
    private static readonly Dictionary<string, string> Broken = new()
    {
        ["low_order_A"] = "1: A is the identity or outside the prime-order group",
        ["low_order_component_A"] = "1: A is outside the prime-order group",
        ["non_canonical_A"] = "1: A is not canonical",
        ["low_order_R"] = "3: R is the identity, or unequal to S·B - h·A, which lies in the prime-order group",
        ["low_order_component_R"] = "3: R is unequal to S·B - h·A, which lies in the prime-order group",
        ["non_canonical_R"] = "3: R is not canonical",
        ["low_order_residue"] = "3: R differs from S·B - h·A by a low-order point",
        ["reencoded_k"] = "1 or 3: the hash was taken over other bytes than A or R",
    };

    [VectorsFact]
    public void Every_row_is_accepted_exactly_when_no_flag_breaks_the_rule()
    {
        int rows = 0;
        int accepted = 0;
        foreach (EdgeCase row in Read())
        {
            rows++;
            row.Flags.Should().BeSubsetOf(Broken.Keys, "every corner is explained");
            bool holds = row.Verifies();
            holds.Should().Be(row.Flags.Count == 0, "row {0} has {1}", row.Number, string.Join("; ", row.Flags.Select(flag => Broken[flag])));
            accepted += holds ? 1 : 0;
        }

        rows.Should().Be(914);
        accepted.Should().Be(1);
    }

    /// <summary>The rows that libsodium 1.0.18 accepts by itself and other verifiers may refuse.</summary>
    [VectorsFact]
    public void A_key_with_a_low_order_component_is_refused_even_where_the_equation_holds()
    {
        List<EdgeCase> rows = [.. Read().Where(row =>
            row.Flags.Contains("low_order_component_A")
            && row.Flags.All(flag => flag is "low_order_component_A" or "low_order_component_R"))];
        rows.Should().HaveCount(42);
        rows.Should().OnlyContain(row => !row.Verifies() && !Ed25519.IsUsable(row.Key));
    }

    private static List<EdgeCase> Read()
    {
        string path = Path.Combine(Repository.Vectors!, "ed25519-edge-cases.json");
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        List<EdgeCase> rows = [];
        foreach (JsonElement row in document.RootElement.EnumerateArray())
        {
            JsonElement flags = row.GetProperty("flags");
            rows.Add(new EdgeCase(
                row.GetProperty("number").GetInt32(),
                new PublicKey(Hex.Bytes(row.GetProperty("key").GetString()!)),
                new Signature(Hex.Bytes(row.GetProperty("sig").GetString()!)),
                row.GetProperty("msg").GetString()!,
                flags.ValueKind == JsonValueKind.Null ? [] : [.. flags.EnumerateArray().Select(flag => flag.GetString()!)]));
        }

        return rows;
    }

    private sealed record EdgeCase(int Number, PublicKey Key, Signature Signature, string Message, List<string> Flags)
    {
        public bool Verifies()
        {
            bool verifies = Ed25519.Verify(Key, Encoding.UTF8.GetBytes(Message), Signature);
            bool underVerifyingKey = VerifyingKey.TryFrom(Key, out VerifyingKey? key) && key.Verify(Encoding.UTF8.GetBytes(Message), Signature);
            underVerifyingKey.Should().Be(verifies, "both forms have one rule (case {0})", Number);
            return verifies;
        }
    }
}
