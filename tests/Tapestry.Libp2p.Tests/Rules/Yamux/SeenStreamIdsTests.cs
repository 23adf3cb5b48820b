using FluentAssertions;
using FsCheck;
using FsCheck.Fluent;
using Tapestry.Libp2p.Yamux;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Yamux;

public sealed class SeenStreamIdsTests
{
    [Theory]
    [InlineData(0u)]
    [InlineData(1u)]
    public void Ids_in_any_order_within_the_window_are_new_once(uint parity)
    {
        Gen<uint[]> ids = Gen.ArrayOf(Gen.Choose(1, 400).Select(i => ((uint)i * 2) + parity));
        Prop.ForAll(Arb.From(ids), sequence =>
        {
            SeenStreamIds seen = new();
            System.Collections.Generic.HashSet<uint> reference = [];
            uint highest = 0;
            foreach (uint id in sequence)
            {
                bool tooLate = reference.Count > 0 && id / 2 + SeenStreamIds.ReorderedMax <= highest / 2;
                bool isNew = !tooLate && reference.Add(id);
                seen.MayHaveBeenOpen(id).Should().Be(!isNew);
                seen.TryAdd(id).Should().Be(isNew, "{0} after {1}", id, highest);
                highest = Math.Max(highest, id);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_jump_of_any_length_forgets_what_lies_behind()
    {
        SeenStreamIds seen = new();
        seen.TryAdd(2).Should().BeTrue();
        seen.TryAdd(uint.MaxValue - 1).Should().BeTrue();
        seen.TryAdd(uint.MaxValue - 3).Should().BeTrue();
        seen.TryAdd(2).Should().BeFalse();
        seen.MayHaveBeenOpen(4).Should().BeTrue("it is too late to tell");
    }
}
