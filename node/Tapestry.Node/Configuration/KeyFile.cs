using System.Security.Cryptography;
using Tapestry.Cli;
using Tapestry.Crypto;

namespace Tapestry.Node.Configuration;

/// <summary>The member's three secret keys, in one file that only its owner may read.</summary>
/// <remarks>
/// Three lines, <c>member</c>, <c>peer</c> and <c>checkpoint</c>, each with 64 hexadecimal digits of an Ed25519 seed:
/// what the member signs, what its links prove, and what its ledger checkpoints carry can be replaced one by one.
/// </remarks>
internal sealed class KeyFile : IDisposable
{
    private const int SeedBytes = 32;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly string[] Names = ["member", "peer", "checkpoint"];

    private KeyFile(byte[][] seeds)
    {
        Member = SigningKey.FromSeed(seeds[0]);
        PeerSeed = seeds[1];
        Peer = SigningKey.FromSeed(seeds[1]);
        Checkpoint = SigningKey.FromSeed(seeds[2]);
        CryptographicOperations.ZeroMemory(seeds[0]);
        CryptographicOperations.ZeroMemory(seeds[2]);
    }

    /// <summary>Signs statements; its public half is the member id.</summary>
    public SigningKey Member { get; }

    /// <summary>The libp2p identity.</summary>
    public SigningKey Peer { get; }

    /// <summary>Seed of <see cref="Peer"/>; 32 bytes.</summary>
    public byte[] PeerSeed { get; }

    /// <summary>Signs ledger checkpoints.</summary>
    public SigningKey Checkpoint { get; }

    /// <summary>Creates a key file with fresh seeds from the operating system.</summary>
    /// <exception cref="CliException">There is one already.</exception>
    public static void Create(string path)
    {
        string text = string.Concat(Names.Select(name => $"{name} {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(SeedBytes))}\n"));
        try
        {
            using FileStream file = new(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                UnixCreateMode = OwnerOnly,
            });
            file.Write(System.Text.Encoding.ASCII.GetBytes(text));
            file.Flush(flushToDisk: true);
        }
        catch (IOException error) when (File.Exists(path))
        {
            throw new CliException(
                "keys-exist", $"There are keys in {path} already.",
                "Keys are never overwritten: use another folder, or move the file away.", ExitCode.Configuration, error);
        }
    }

    /// <summary>Reads a key file.</summary>
    /// <exception cref="CliException">It is missing, readable by others, or not of the format.</exception>
    public static KeyFile Read(string path)
    {
        RefuseOtherReaders(path);
        string[] lines = File.ReadAllText(path).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length != Names.Length)
        {
            throw Malformed(path, $"it has {lines.Length} lines instead of {Names.Length}");
        }

        byte[][] seeds = new byte[Names.Length][];
        for (int index = 0; index < Names.Length; index++)
        {
            string prefix = Names[index] + " ";
            seeds[index] = new byte[SeedBytes];
            if (!lines[index].StartsWith(prefix, StringComparison.Ordinal)
                || Convert.FromHexString(lines[index].AsSpan(prefix.Length), seeds[index], out _, out int written)
                    != System.Buffers.OperationStatus.Done
                || written != SeedBytes)
            {
                throw Malformed(path, $"line {index + 1} is not '{prefix}' and 64 hexadecimal digits");
            }
        }

        return new KeyFile(seeds);
    }

    /// <summary>Wipes the secrets.</summary>
    public void Dispose()
    {
        Member.Dispose();
        Peer.Dispose();
        Checkpoint.Dispose();
        CryptographicOperations.ZeroMemory(PeerSeed);
    }

    private static void RefuseOtherReaders(string path)
    {
        if (!File.Exists(path))
        {
            throw new CliException(
                "not-initialised", $"There is no key file {path}.", "Run: tapestry init --data <folder>", ExitCode.Configuration);
        }

        UnixFileMode mode = File.GetUnixFileMode(path);
        if ((mode & ~OwnerOnly) != 0)
        {
            throw new CliException(
                "keys-exposed", $"The key file {path} may be read by others (mode {Convert.ToString((int)mode, 8)}).",
                $"Run: chmod 600 {path}", ExitCode.Configuration);
        }
    }

    private static CliException Malformed(string path, string why) => new(
        "keys-malformed", $"The key file {path} cannot be read: {why}.",
        "Restore it from your backup; a member without its keys must be registered anew.", ExitCode.Configuration);
}
