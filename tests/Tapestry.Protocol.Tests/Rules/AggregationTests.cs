using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;
using Xunit;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>specs/30-rounds.md, sections 2 and 13: cutting, naming, averaging and the outer step.</summary>
public sealed class AggregationTests
{
    private const int ChunkBytes = 1024;
    private const int ChunkElements = 256;
    private static readonly BaseLayout Layout = new(1000, ChunkBytes, 2);

    [Fact]
    public void Slices_are_whole_chunks_and_the_last_is_smaller()
    {
        BaseLayout layout = new(1200, ChunkBytes, 3);
        layout.ChunksPerSection.Should().Be(5);
        layout.BaseBytes.Should().Be(2 * 5 * ChunkBytes);
        layout.Slice(0).Should().Be(new SliceExtent(0, 0, 512, 512, 2));
        layout.Slice(1).Should().Be(new SliceExtent(1, 512, 512, 512, 2));
        layout.Slice(2).Should().Be(new SliceExtent(2, 1024, 176, 256, 1));
        layout.ShardBytes(2, Codec.Fp32).Should().Be(704);
        layout.ShardBytes(2, Codec.MxInt8).Should().Be(6 + 176);
        layout.UpdateBytes(Codec.MxInt8).Should().Be((2 * (512 + 16)) + 182);
    }

    [Theory]
    [InlineData(0, 1024, 1)]
    [InlineData(1000, 1000, 1)]
    [InlineData(1000, 1024, 0)]
    [InlineData(1000, 1024, 5)]
    [InlineData(1200, 1024, 4)]
    public void Numbers_that_fit_no_layout_are_refused(long parameters, int chunkBytes, int slices) =>
        FluentActions.Invoking(() => new BaseLayout(parameters, chunkBytes, slices)).Should().Throw<ArgumentException>();

    [Fact]
    public void Every_good_plan_has_a_layout() => BaseLayout.Of(PlanDefaults.Small).SliceCount.Should().Be(PlanDefaults.Small.Exchange.Slices);

    [Fact]
    public void A_slice_is_named_by_its_chunks_section_by_section()
    {
        float[] parameters = new Numbers(1).Fractions(512);
        float[] momentum = new Numbers(2).Fractions(512);
        Digest[] leaves = [.. parameters.Chunk(ChunkElements).Concat(momentum.Chunk(ChunkElements)).Select(static chunk => MerkleTree.LeafHash(Bytes(chunk)))];
        Roots.OfBaseSlice(Layout, 0, parameters, momentum).Should().Be(MerkleTree.Root(leaves));
        FluentActions.Invoking(() => Roots.OfBaseSlice(Layout, 0, new float[511], momentum)).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void A_shard_is_named_by_its_chunks()
    {
        byte[] shard = [.. Enumerable.Range(0, Layout.ShardBytes(1, Codec.MxInt8)).Select(static value => (byte)(value % 100))];
        Roots.OfShard(Layout, 1, Codec.MxInt8, shard).Should().Be(MerkleTree.Root([MerkleTree.LeafHash(shard.AsSpan(0, 264)), MerkleTree.LeafHash(shard.AsSpan(264))]));
        shard.Length.Should().Be(264 + 8 + 232);
    }

    [Theory]
    [InlineData(Codec.Fp32, Codec.Fp32)]
    [InlineData(Codec.MxInt8, Codec.Fp32)]
    [InlineData(Codec.MxInt8, Codec.MxInt8)]
    public void Aggregation_is_the_formula_element_by_element(Codec up, Codec down)
    {
        OuterStep outer = new(0.7, 0.9);
        Numbers numbers = new(3);
        for (int slice = 0; slice < 2; slice++)
        {
            SliceExtent extent = Layout.Slice(slice);
            (double Scale, long Weight)[] members = [(1, 10), (0.25, 7), (1, 3)];
            List<WeightedShard> shards = [];
            double[] sums = new double[extent.Elements];
            foreach ((double scale, long weight) in members)
            {
                byte[] shard = new byte[Layout.ShardBytes(slice, up)];
                float[] update = numbers.Fractions(extent.Elements);
                EncodeChunks(up, update, shard);
                shards.Add(new WeightedShard(up, shard, scale, weight));
                Reference.AddScaled(sums, scale * weight, DecodeChunks(up, shard, extent.Elements));
            }

            float[] mean = [.. sums.Select(static sum => (float)(sum / 20))];
            byte[] encoded = new byte[Layout.ShardBytes(slice, down)];
            EncodeChunks(down, mean, encoded);
            float[] g = DecodeChunks(down, encoded, extent.Elements);
            float[] p = [.. numbers.Fractions(extent.Elements), .. new float[extent.PaddedElements - extent.Elements]];
            float[] m = [.. numbers.Fractions(extent.Elements), .. new float[extent.PaddedElements - extent.Elements]];
            (float[] newP, float[] newM) = ([.. p], [.. m]);
            Reference.TryNesterov(g, outer.LearningRate, outer.Momentum, p, m, newP, newM).Should().BeTrue();

            byte[] aggregate = new byte[encoded.Length];
            SliceOutcome outcome = SliceAggregation.Aggregate(Layout, slice, shards, down, outer, new BaseSlice(p, m), new BaseSlice(p, m), aggregate);
            aggregate.Should().Equal(encoded);
            p.Should().Equal(newP);
            m.Should().Equal(newM);
            outcome.Should().Be(new SliceOutcome(slice, Roots.OfShard(Layout, slice, down, encoded), Roots.OfBaseSlice(Layout, slice, newP, newM)));
        }
    }

    [Fact]
    public void A_mean_that_does_not_fit_is_nonfinite()
    {
        float[] huge = [.. Enumerable.Repeat(float.MaxValue, 512)];
        WeightedShard shard = new(Codec.Fp32, Bytes(huge), 1, 1);
        float[] p = [.. Enumerable.Repeat(-float.MaxValue, 512)];
        float[] m = new float[512];
        Aggregate([shard], p, m).IsNonFinite.Should().BeTrue();
        Aggregate([shard], new float[512], m).IsNonFinite.Should().BeFalse();

        SliceOutcome Aggregate(WeightedShard[] shards, float[] parameters, float[] momentum) => SliceAggregation.Aggregate(
            Layout, 0, shards, Codec.Fp32, new OuterStep(1, 0), new BaseSlice(parameters, momentum), new BaseSlice(new float[512], new float[512]), new byte[2048]);
    }

    [Fact]
    public void Padding_of_the_new_base_is_zero()
    {
        SliceExtent last = Layout.Slice(1);
        byte[] aggregate = new byte[Layout.ShardBytes(1, Codec.Fp32)];
        float[] dirty = [.. Enumerable.Repeat(1f, last.PaddedElements)];
        BaseSlice after = new([.. dirty], [.. dirty]);
        SliceAggregation.TryApply(Layout, 1, Codec.Fp32, aggregate, new OuterStep(1, 0), new BaseSlice([.. dirty], [.. dirty]), after).Should().BeTrue();
        after.Parameters[last.Elements..].ToArray().Should().OnlyContain(static value => value == 0);
        after.Momentum[last.Elements..].ToArray().Should().OnlyContain(static value => value == 0);
    }

    [Theory]
    [InlineData(Codec.Fp32)]
    [InlineData(Codec.MxInt8)]
    public void Nothing_of_an_update_is_lost_for_good(Codec codec)
    {
        SliceExtent extent = Layout.Slice(1);
        Numbers numbers = new(8);
        float[] start = numbers.Fractions(extent.Elements);
        float[] end = [.. start.Select(value => value - (numbers.Fraction() / 64))];
        float[] earlier = numbers.Fractions(extent.Elements, 1f / 1024);
        byte[] shard = new byte[Layout.ShardBytes(1, codec)];
        float[] lost = new float[extent.Elements];
        UpdateEncoding.TryEncode(Layout, 1, codec, start, end, earlier, shard, lost).Should().BeTrue();
        float[] sent = DecodeChunks(codec, shard, extent.Elements);
        for (int index = 0; index < sent.Length; index++)
        {
            ((double)sent[index] + lost[index]).Should().BeApproximately((double)start[index] - end[index] + earlier[index], 1e-7);
        }

        lost.Any(static value => value != 0).Should().Be(codec == Codec.MxInt8);
        end[3] = float.NaN;
        UpdateEncoding.TryEncode(Layout, 1, codec, start, end, [], shard, lost).Should().BeFalse();
    }

    [Fact]
    public void A_shard_is_measured_in_index_order_or_refused()
    {
        float[] values = new Numbers(9).Fractions(512);
        double expected = 0;
        foreach (float value in values)
        {
            expected += (double)value * value;
        }

        byte[] shard = Bytes(values);
        SumOfSquares.TryMeasure(Layout, 0, Codec.Fp32, shard, out double sum).Should().BeTrue();
        sum.Should().Be(expected);
        SumOfSquares.TryMeasure(Layout, 0, Codec.Fp32, shard.AsSpan(1), out _).Should().BeFalse();
        SumOfSquares.TryMeasure(Layout, 0, Codec.MxInt8, shard, out _).Should().BeFalse();
        shard[2047] = 0x7f;
        shard[2046] = 0x80;
        SumOfSquares.TryMeasure(Layout, 0, Codec.Fp32, shard, out _).Should().BeFalse();
    }

    private static void EncodeChunks(Codec codec, float[] values, byte[] shard)
    {
        for (int first = 0; first < values.Length; first += ChunkElements)
        {
            int count = Math.Min(ChunkElements, values.Length - first);
            ShardCodec.TryEncode(codec, values.AsSpan(first, count), shard.AsSpan(first / ChunkElements * Layout.ShardChunkBytes(codec), ShardCodec.Bytes(codec, count))).Should().BeTrue();
        }
    }

    private static float[] DecodeChunks(Codec codec, byte[] shard, int elements)
    {
        float[] values = new float[elements];
        for (int first = 0; first < elements; first += ChunkElements)
        {
            int count = Math.Min(ChunkElements, elements - first);
            ShardCodec.TryDecode(codec, shard.AsSpan(first / ChunkElements * Layout.ShardChunkBytes(codec), ShardCodec.Bytes(codec, count)), values.AsSpan(first, count)).Should().BeTrue();
        }

        return values;
    }

    private static byte[] Bytes(float[] values) => [.. System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan())];
}
