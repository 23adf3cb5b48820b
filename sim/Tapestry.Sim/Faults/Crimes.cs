namespace Tapestry.Sim.Faults;

/// <summary>The crimes by name.</summary>
internal static class Crimes
{
    private static readonly (string Name, Func<World, Host, RandomStream, Fault> Make)[] All =
    [
        ("silent-member", (world, host, random) => new SilentMember(world, host, random)),
        ("equivocating-leader", (world, host, random) => new EquivocatingLeader(world, host, random)),
        ("double-voter", (world, host, random) => new DoubleVoter(world, host, random)),
        ("lying-holder", (world, host, random) => new LyingHolder(world, host, random)),
        ("withholding-contributor", (world, host, random) => new WithholdingContributor(world, host, random)),
        ("equivocating-contributor", (world, host, random) => new EquivocatingContributor(world, host, random)),
        ("unjustified-proposer", (world, host, random) => new UnjustifiedProposer(world, host, random)),
        ("voiding-leader", (world, host, random) => new VoidingLeader(world, host, random)),
        ("excluding-leader", (world, host, random) => new ExcludingLeader(world, host, random)),
        ("replayer", (world, host, random) => new Replayer(world, host, random)),
        ("boaster", (world, host, random) => new Boaster(world, host, random)),
        ("junk-answerer", (world, host, random) => new JunkAnswerer(world, host, random)),
        ("overflowing-contributor", (world, host, random) => new OverflowingContributor(world, host, random)),
    ];

    /// <summary>Every name, in the order of the table.</summary>
    internal static IEnumerable<string> Names => All.Select(crime => crime.Name);

    internal static Fault Choose(string? name, World world, Host host, RandomStream random)
    {
        (string, Func<World, Host, RandomStream, Fault> Make) crime = name is null
            ? All[random.Below(All.Length)]
            : All.FirstOrDefault(one => one.Name == name);
        return crime.Make is null
            ? throw new ArgumentException($"There is no crime '{name}'; there are {string.Join(", ", Names)}.", nameof(name))
            : crime.Make(world, host, new RandomStream(world.Options.Seed, 1000 + host.Index));
    }
}
