namespace Tapestry.Protocol.Tests;

/// <summary>What a hostile peer makes of honest bytes: flipped bits, cuts, insertions, repeats.</summary>
internal static class ChangedBytes
{
    internal static IEnumerable<byte[]> Of(byte[] bytes, int seed, int count = 60)
    {
        Random random = new(seed);
        for (int change = 0; change < count; change++)
        {
            int at = random.Next(bytes.Length);
            yield return random.Next(5) switch
            {
                0 => [.. bytes[..at], (byte)(bytes[at] ^ (1 << random.Next(8))), .. bytes[(at + 1)..]],
                1 => [.. bytes[..at], (byte)random.Next(256), .. bytes[(at + 1)..]],
                2 => bytes[..at],
                3 => [.. bytes[..at], (byte)random.Next(256), .. bytes[at..]],
                _ => [.. bytes[..at], .. bytes[random.Next(bytes.Length)..]],
            };
        }
    }
}
