namespace Tapestry.Sim;

/// <summary>Random small worlds for campaigns: each seed chooses its own size, faults and crimes.</summary>
internal static class SmallWorlds
{
    private const long OptionsPart = 99;

    /// <summary>The world of a seed.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="committee">Seats; 0 for 4 or 7.</param>
    internal static WorldOptions Of(long seed, int committee)
    {
        RandomStream random = new(seed, OptionsPart);
        int seats = committee > 0 ? committee : random.Chance(0.5) ? 4 : 7;
        int faults = (seats - 1) / 3;
        bool isDisturbed = random.Chance(0.8);
        int followers = (int)random.Between(0, 2);
        return new WorldOptions
        {
            Seed = seed,
            Members = seats + followers,
            Committee = seats,
            Rounds = random.Between(2, 5),
            ByzantineSeats = (int)random.Between(0, faults),
            ByzantineFollowers = followers > 0 && random.Chance(0.3) ? 1 : 0,
            Crashes = isDisturbed ? (int)random.Between(0, 12) : 0,
            Partitions = isDisturbed ? (int)random.Between(0, 4) : 0,
            Loss = isDisturbed ? random.Between(0, 30) / 100.0 : 0,
            Duplication = random.Between(0, 20) / 100.0,
            LongDelay = isDisturbed ? random.Between(0, 10) / 100.0 : 0,
            HealAtMs = isDisturbed ? random.Between(2_000, 15_000) : 0,
            KeepRounds = (int)random.Between(1, 8),
        };
    }
}
