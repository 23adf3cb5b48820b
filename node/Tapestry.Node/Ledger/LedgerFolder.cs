using Tapestry.Cli;
using Tapestry.Node.Configuration;
using Tapestry.Node.Storage;
using Tapestry.Protocol;
using Tapestry.Protocol.Ledger;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Ledger;

/// <summary>What an auditor reads: the records, the genesis and the signed checkpoint of a data folder or of a copy of one.</summary>
internal static class LedgerFolder
{
    /// <summary>Reads a genesis file.</summary>
    /// <exception cref="CliException">It is missing, malformed, or breaks its rules.</exception>
    public static Genesis ReadGenesis(string path)
    {
        FileInfo file = new(path);
        if (!file.Exists || file.Length > Limits.GenesisBytes)
        {
            throw Refuse(path, file.Exists ? $"it has more than {Limits.GenesisBytes} bytes" : "there is no such file");
        }

        if (!Genesis.TryRead(FileErrors.ReadAll(path), out Genesis? genesis))
        {
            throw Refuse(path, "it is not a genesis");
        }

        Sequence<PlanProblem> problems = GenesisRules.Validate(genesis);
        return problems.Count == 0 ? genesis : throw Refuse(path, problems[0].ToString());
    }

    /// <summary>Opens the records to read them.</summary>
    public static RecordStore OpenRecords(DataFolder folder) => RecordStore.OpenReadOnly(folder.Records);

    /// <summary>Reads the checkpoint file and checks that a member signed it.</summary>
    /// <returns>The checkpoint, or null when there is no file.</returns>
    /// <exception cref="CliException">No member's signature on it holds.</exception>
    public static Checkpoint? ReadCheckpoint(DataFolder folder, Genesis genesis)
    {
        if (!File.Exists(folder.Checkpoint))
        {
            return null;
        }

        byte[] note = FileErrors.ReadAll(folder.Checkpoint);
        foreach (Member member in genesis.Members)
        {
            if (note.Length <= SignedNote.BytesMax
                && Checkpoint.TryVerify(note, new NoteKey(genesis.LedgerOrigin, member.CheckpointKey), out Checkpoint? checkpoint))
            {
                return checkpoint;
            }
        }

        throw new CliException(
            "checkpoint-unsigned", $"No member's signature on {folder.Checkpoint} holds.",
            "The file was changed, or the genesis is of another network.", ExitCode.VerificationFailed);
    }

    private static CliException Refuse(string path, string why) => new(
        "genesis-malformed", $"The genesis {path} cannot be used: {why}.",
        "Copy the file that 'tapestry network create' wrote, the same for every member.", ExitCode.Configuration);
}
