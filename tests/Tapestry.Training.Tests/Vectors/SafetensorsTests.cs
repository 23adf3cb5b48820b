using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using FluentAssertions;
using Tapestry.Training.Formats;
using Xunit;

namespace Tapestry.Training.Tests.Vectors;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_fixture_has_the_bytes_that_the_rules_of_the_format_give()
    {
        byte[] file = Fixture();

        file.Should().HaveCount(164);
        file[0].Should().Be(0x90);
        Convert.ToHexStringLower(SHA256.HashData(file))
            .Should().Be("15d10be21e7c64a13f2078072c2938828057c1723b72066e5b636dd2e06ef506");
    }

    [Fact]
    public void What_was_written_is_read()
    {
        using SafetensorsFile file = SafetensorsFile.Open(_folder.Write("f", Fixture()));
        float[] values = new float[2];

        file.Header.Metadata.Should().Equal(new Dictionary<string, string> { ["format"] = "pt" });
        file.Header.Entries.Select(entry => (entry.Name, entry.Type)).Should()
            .Equal(("b", SafetensorsType.F32), ("a", SafetensorsType.BF16));
        foreach (SafetensorsEntry entry in file.Header.Entries)
        {
            file.Read(entry, values);
            values.Should().Equal(1f, 2f);
        }
    }

    public static TheoryData<string, string> BadHeaders => new()
    {
        { """[]""", "does not start" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}""", "" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}x""", "" },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "twice" },
        { """{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,4]}}""", "unknown type" },
        { """{"a":{"dtype":"17","shape":[1],"data_offsets":[0,4]}}""", "unknown type" },
        { """{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}""", "less than a byte" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "needs 8 bytes" },
        { """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "negative" },
        { """{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}""", "" },
        { """{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}""", "the file has 4" },
        { """{"a":{"dtype":"U8","shape":[3],"data_offsets":[1,4]}}""", "hole" },
        { """{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""", "overlap" },
        { """{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}""", "bad offsets" },
        { """{"a":{"dtype":"U8","shape":[4]}}""", "three fields" },
        { """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"more":1}}""", "three fields" },
        { """{"__metadata__":{"a":1},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "not a string" },
    };

    [Theory]
    [MemberData(nameof(BadHeaders))]
    public void A_broken_rule_of_the_format_is_refused(string json, string problem)
    {
        Action open = () => SafetensorsFile.Open(_folder.Write("f", WithHeader(json, buffer: new byte[4]))).Dispose();

        open.Should().Throw<InputFileException>().WithMessage($"*{problem}*");
    }

    [Fact]
    public void Every_cut_of_a_file_is_refused()
    {
        byte[] file = Fixture();
        for (int length = 0; length < file.Length; length++)
        {
            string path = _folder.Write("f", file.AsSpan(0, length));
            FluentActions.Invoking(() => SafetensorsFile.Open(path).Dispose()).Should().Throw<InputFileException>();
        }
    }

    [Theory]
    [InlineData(100_000_001)]
    [InlineData(ulong.MaxValue)]
    public void A_header_longer_than_the_file_or_the_limit_is_refused_before_it_is_read(ulong length)
    {
        byte[] file = new byte[16];
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);

        FluentActions.Invoking(() => SafetensorsFile.Open(_folder.Write("f", file)).Dispose())
            .Should().Throw<InputFileException>().WithMessage("*claims*");
    }

    [Fact]
    public void A_name_twice_or_too_few_bytes_are_refused()
    {
        SafetensorsTensor tensor = new("a", SafetensorsType.U8, [2], file => file.Write([1, 2]));
        Dictionary<string, string> none = [];
        using MemoryStream output = new();

        FluentActions.Invoking(() => SafetensorsWriter.Write(output, [tensor, tensor with { Type = SafetensorsType.I8 }], none))
            .Should().Throw<ArgumentException>().WithMessage("*taken*");
        FluentActions.Invoking(() => SafetensorsWriter.Write(output, [tensor with { Shape = [3] }], none))
            .Should().Throw<ArgumentException>().WithMessage("*2 bytes instead of 3*");
    }

    private static byte[] Fixture()
    {
        using MemoryStream output = new();
        SafetensorsWriter.Write(
            output,
            [
                new SafetensorsTensor("a", SafetensorsType.BF16, [1, 2], file => file.Write([0x80, 0x3F, 0x00, 0x40])),
                new SafetensorsTensor("b", SafetensorsType.F32, [2], file => file.Write(MemoryMarshal.AsBytes<float>([1f, 2f]))),
            ],
            new Dictionary<string, string> { ["format"] = "pt" });
        return output.ToArray();
    }

    private static byte[] WithHeader(string json, byte[] buffer)
    {
        byte[] header = Encoding.UTF8.GetBytes(json);
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        return [.. length, .. header, .. buffer];
    }
}
