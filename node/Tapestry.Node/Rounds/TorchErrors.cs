using Tapestry.Cli;
using Tapestry.Torch;
using Tapestry.Training;
using Tapestry.Training.Optimization;

namespace Tapestry.Node.Rounds;

/// <summary>What can go wrong in training, in words for people and codes for scripts.</summary>
internal static class TorchErrors
{
    /// <summary>Runs work that loads libtorch and reads text.</summary>
    /// <exception cref="CliException">libtorch is missing, an option or a text cannot be used, or training diverged.</exception>
    public static T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (TorchException error)
        {
            throw new CliException(
                "torch", error.Message, "'./tapestry train --help' prepares this machine; TAPESTRY_TORCH_DIR takes another libtorch.",
                ExitCode.Configuration, error);
        }
        catch (InputFileException error)
        {
            throw new CliException("input", error.Message, "Repair the file, or name another.", ExitCode.Configuration, error);
        }
        catch (ArgumentException error)
        {
            throw new CliException("usage", error.Message, "See --help for the options and their defaults.", ExitCode.Usage, error);
        }
        catch (TrainingDivergedException error)
        {
            throw new CliException("diverged", error.Message, "Lower --learning-rate, or warm up longer.", ExitCode.Failed, error);
        }
    }
}
