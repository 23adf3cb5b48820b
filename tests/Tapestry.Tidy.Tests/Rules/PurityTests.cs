using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Tidy.Rules;

/// <summary>The pure projects reach for no clock, randomness, task, lock, environment or I/O: read from their compiled code.</summary>
public sealed class PurityTests
{
    /// <summary>Types of which nothing may be called, each with what to do instead.</summary>
    private static readonly Dictionary<string, string> BannedTypes = new()
    {
        ["System.TimeProvider"] = "take an Instant as an argument",
        ["System.Diagnostics.Stopwatch"] = "take an Instant as an argument",
        ["System.Diagnostics.Process"] = "return an effect",
        ["System.Environment"] = "take the value as an argument",
        ["System.Random"] = "take a seed and use a generator of ours",
        ["System.Security.Cryptography.RandomNumberGenerator"] = "take the bytes as an argument",
        ["System.Console"] = "return a value",
        ["System.IO.File"] = "return an effect",
        ["System.IO.Directory"] = "return an effect",
        ["System.IO.FileStream"] = "return an effect",
        ["System.Threading.Monitor"] = "one writer, no locks",
        ["System.Threading.Lock"] = "one writer, no locks",
        ["System.Threading.Thread"] = "return an effect",
        ["System.Threading.ThreadPool"] = "return an effect",
        ["System.Threading.Timer"] = "return a SetTimer effect",
        ["System.Threading.SemaphoreSlim"] = "one writer, no locks",
        ["System.Threading.Tasks.Task"] = "return an effect",
        ["System.Threading.Tasks.Task`1"] = "return an effect",
        ["System.Threading.Tasks.ValueTask"] = "return an effect",
        ["System.Threading.Tasks.ValueTask`1"] = "return an effect",
        ["System.Threading.Tasks.Parallel"] = "return an effect",
        ["System.Collections.Concurrent.ConcurrentDictionary`2"] = "one writer, ordered collections",
        ["System.Numerics.Tensors.TensorPrimitives"] = "elementwise vectors with fixed association",
    };

    /// <summary>Single members that are banned although their type is fine.</summary>
    private static readonly Dictionary<string, string> BannedMembers = new()
    {
        ["System.DateTime.get_Now"] = "take an Instant as an argument",
        ["System.DateTime.get_UtcNow"] = "take an Instant as an argument",
        ["System.DateTimeOffset.get_Now"] = "take an Instant as an argument",
        ["System.DateTimeOffset.get_UtcNow"] = "take an Instant as an argument",
        ["System.Guid.NewGuid"] = "derive the name from content",
        ["System.HashCode.Combine"] = "it is seeded per process; never let it shape bytes or order",
        ["System.Math.FusedMultiplyAdd"] = "the bits differ from a multiply and an add",
        ["System.Math.Log"] = "the last bit depends on the C library",
        ["System.Math.Log2"] = "the last bit depends on the C library",
        ["System.Math.Exp"] = "the last bit depends on the C library",
        ["System.Math.Pow"] = "the last bit depends on the C library",
        ["System.Math.Cos"] = "the last bit depends on the C library",
        ["System.Math.Sin"] = "the last bit depends on the C library",
    };

    public static TheoryData<string> PureAssemblies => [typeof(Digest).Assembly.Location, typeof(Plan).Assembly.Location];

    [Theory]
    [MemberData(nameof(PureAssemblies))]
    public void A_pure_assembly_calls_nothing_impure(string path)
    {
        List<string> faults = [.. MemberReferences(path).SelectMany(Faults).Distinct()];
        faults.Should().BeEmpty();
    }

    [Fact]
    public void The_scan_sees_a_banned_call_where_there_is_one()
    {
        // This test's own assembly reads files: the same scan must object to it.
        MemberReferences(typeof(PurityTests).Assembly.Location).SelectMany(Faults).Should().NotBeEmpty();
    }

    private static IEnumerable<string> Faults((string Type, string Member) reference)
    {
        string full = $"{reference.Type}.{reference.Member}";
        if (BannedTypes.TryGetValue(reference.Type, out string? instead) || BannedMembers.TryGetValue(full, out instead))
        {
            yield return $"{full}: {instead}";
        }
    }

    private static List<(string Type, string Member)> MemberReferences(string path)
    {
        using PEReader file = new(File.OpenRead(path));
        MetadataReader metadata = file.GetMetadataReader();
        List<(string, string)> references = [];
        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            string? type = TypeName(metadata, member.Parent);
            if (type is not null)
            {
                references.Add((type, metadata.GetString(member.Name)));
            }
        }

        return references;
    }

    private static string? TypeName(MetadataReader metadata, EntityHandle parent)
    {
        if (parent.Kind == HandleKind.TypeReference)
        {
            TypeReference type = metadata.GetTypeReference((TypeReferenceHandle)parent);
            return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
        }

        if (parent.Kind == HandleKind.TypeSpecification)
        {
            BlobReader signature = metadata.GetBlobReader(metadata.GetTypeSpecification((TypeSpecificationHandle)parent).Signature);
            // GENERICINST (CLASS | VALUETYPE) TypeDefOrRef ...: ECMA-335, II.23.2.12.
            if (signature.ReadByte() == (byte)SignatureTypeCode.GenericTypeInstance)
            {
                signature.ReadByte();
                return TypeName(metadata, signature.ReadTypeHandle());
            }
        }

        return null;
    }
}
