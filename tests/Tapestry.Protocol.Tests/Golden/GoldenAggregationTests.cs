using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;
using Tapestry.Testing;
using Xunit;

namespace Tapestry.Protocol.Tests.Golden;

/// <summary>Two rounds from fixed integers to a base digest: one value on every machine, with every vector width.</summary>
/// <remarks>
/// Repeated with AVX-512 and with AVX2 off by <see cref="OtherVectorWidthsTests"/>. tests/foreign/python/golden_aggregation.py,
/// written from the specification in another language, gives the same digests.
/// </remarks>
public sealed class GoldenAggregationTests
{
    private const string Fp32Both = "bf1a723d91ee0bcd3e06014e735f2ab6142e62a8160bf8a0c9dc020c4662daa5";
    private const string MxInt8Up = "65170f78e2744537d12b87f17c85f32600b0d2d0d29e5eada024c2320087aecf";
    private const string MxInt8Both = "7e12766acac6f4d6c7137058e5f5fd17c6c92f923357cb8f363700126b13350f";

    private const int Parameters = 40_003;
    private const int Members = 4;
    private const int Rounds = 2;

    [Theory]
    [InlineData(Codec.Fp32, Codec.Fp32, Fp32Both)]
    [InlineData(Codec.MxInt8, Codec.Fp32, MxInt8Up)]
    [InlineData(Codec.MxInt8, Codec.MxInt8, MxInt8Both)]
    public void Bytes_are_what_they_were(Codec up, Codec down, string expected) => Run(up, down).Should().Be(expected);

    [NumpyFact]
    public void Another_language_computes_them_from_the_specification()
    {
        string script = Path.Combine(Repository.Root, "tests", "foreign", "python", "golden_aggregation.py");
        ProcessStartInfo start = new(NumpyFactAttribute.Python, [script]) { RedirectStandardOutput = true };
        using Process python = Process.Start(start)!;
        string[] lines = python.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        python.WaitForExit();
        lines.Should().Equal(Fp32Both, MxInt8Up, MxInt8Both);
    }

    [Fact]
    public void The_machine_is_as_it_was_asked_to_be()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_EnableAVX512") == "0")
        {
            Vector512.IsHardwareAccelerated.Should().BeFalse();
        }

        if (Environment.GetEnvironmentVariable("DOTNET_EnableAVX2") == "0")
        {
            Vector256.IsHardwareAccelerated.Should().BeFalse();
        }
    }

    private static string Run(Codec up, Codec down)
    {
        BaseLayout layout = new(Parameters, PlanRules.MinimumChunkBytes, 2);
        InfluenceRule rule = new(NormMultiple: 1.25, Cap: 0.3, MaximumTokens: 5_000, MinimumMembers: 1);
        OuterStep outer = new(0.7, 0.9);
        Numbers numbers = new(20261122);
        float[] parameters = Padded(layout, numbers.Fractions(Parameters, 1f / 16));
        float[] momentum = Padded(layout, []);
        float[][] residuals = [.. Enumerable.Range(0, Members).Select(static _ => new float[Parameters])];
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int round = 0; round < Rounds; round++)
        {
            List<byte[][]> updates = [];
            List<MeasuredUpdate> measured = [];
            for (int member = 0; member < Members; member++)
            {
                // Member 3 shouts: its norm is scaled down. Tokens differ: the cap and the maximum bite.
                float[] local = [.. parameters.Take(Parameters).Select(value => value - (numbers.Fraction() * (member == 3 ? 1f / 32 : 1f / 256)))];
                (byte[][] shards, double norm) = Encode(layout, up, parameters, local, residuals[member]);
                updates.Add(shards);
                measured.Add(new MeasuredUpdate(Samples.Id(Samples.Key(member)), Digest.Zero, 1_000 * (member + 2), norm));
                Append(hash, norm);
            }

            Sequence<Inclusion> places = Influence.Of(measured, rule);
            foreach (Inclusion place in places)
            {
                Append(hash, place.Scale);
                Append(hash, place.Weight);
            }

            Digest[] roots = new Digest[layout.SliceCount];
            for (int slice = 0; slice < layout.SliceCount; slice++)
            {
                SliceExtent extent = layout.Slice(slice);
                WeightedShard[] shards = [.. Enumerable.Range(0, Members).Select(member => new WeightedShard(up, updates[member][slice], places[member].Scale, places[member].Weight))];
                byte[] aggregate = new byte[layout.ShardBytes(slice, down)];
                BaseSlice place = new(Part(parameters, extent), Part(momentum, extent));
                SliceOutcome outcome = SliceAggregation.Aggregate(layout, slice, shards, down, outer, place, place, aggregate);
                outcome.IsNonFinite.Should().BeFalse();
                hash.AppendData(outcome.AggregateRoot.ToArray());
                roots[slice] = outcome.BaseRoot;
            }

            hash.AppendData(Roots.OfSlices(roots).ToArray());
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static (byte[][] Shards, double Norm) Encode(BaseLayout layout, Codec up, float[] parameters, float[] local, float[] residual)
    {
        byte[][] shards = new byte[layout.SliceCount][];
        double[] sums = new double[layout.SliceCount];
        for (int slice = 0; slice < shards.Length; slice++)
        {
            SliceExtent extent = layout.Slice(slice);
            int first = (int)extent.FirstElement;
            shards[slice] = new byte[layout.ShardBytes(slice, up)];
            Span<float> rest = residual.AsSpan(first, extent.Elements);
            UpdateEncoding.TryEncode(layout, slice, up, parameters.AsSpan(first, extent.Elements), local.AsSpan(first, extent.Elements), rest, shards[slice], rest).Should().BeTrue();
            SumOfSquares.TryMeasure(layout, slice, up, shards[slice], out sums[slice]).Should().BeTrue();
        }

        return (shards, Influence.Norm(sums));
    }

    private static float[] Padded(BaseLayout layout, float[] values)
    {
        float[] section = new float[layout.ChunksPerSection * layout.ChunkElements];
        values.CopyTo(section, 0);
        return section;
    }

    private static Span<float> Part(float[] section, SliceExtent extent) => section.AsSpan((int)extent.FirstElement, extent.PaddedElements);

    private static void Append<T>(IncrementalHash hash, T value)
        where T : unmanaged => hash.AppendData(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(ref value)));
}
