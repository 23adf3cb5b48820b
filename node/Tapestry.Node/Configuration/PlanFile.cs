using System.Text.Json;
using Tapestry.Cli;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Configuration;

/// <summary>A plan as JSON that people edit; members agree on the canonical bytes, never on this text.</summary>
internal static class PlanFile
{
    private const int FileBytesMax = 64 * 1024;

    private static readonly JsonSerializerOptions Format = new(Envelope.Format)
    {
        WriteIndented = true,
        UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The plan as text.</summary>
    public static string Write(Plan plan) => JsonSerializer.Serialize(plan, Format);

    /// <summary>Reads a plan file; a parameter count of 0 is filled in from the shape.</summary>
    /// <exception cref="CliException">It is missing, not JSON, or lacks or adds a key.</exception>
    public static Plan Read(string path)
    {
        try
        {
            FileInfo file = new(path);
            if (!file.Exists || file.Length > FileBytesMax)
            {
                throw Refuse(path, file.Exists ? $"it has more than {FileBytesMax} bytes" : "there is no such file");
            }

            Plan plan = JsonSerializer.Deserialize<Plan>(File.ReadAllText(path), Format) ?? throw Refuse(path, "it is empty");
            return plan.ParameterCount == 0 ? plan with { ParameterCount = PlanModel.Layout(plan).Count } : plan;
        }
        catch (Exception error) when (error is JsonException or ArgumentException)
        {
            throw Refuse(path, error.Message);
        }
    }

    private static CliException Refuse(string path, string why) => new(
        "plan-malformed", $"The plan {path} cannot be used: {why}.",
        "Start from a preset: tapestry network plan --preset small > plan.json", ExitCode.Configuration);
}
