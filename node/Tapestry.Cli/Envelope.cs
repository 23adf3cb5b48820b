using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tapestry.Cli;

/// <summary>The one object that a verb prints to standard output with <c>--json</c>.</summary>
/// <remarks>
/// <c>{"schema":"tapestry/&lt;verb&gt;/1","status":"ok","data":…}</c> or
/// <c>{"schema":…,"status":"error","error":{"code","message","hint"}}</c>.
/// </remarks>
public static class Envelope
{
    /// <summary>How every object for scripts is written: camel case, enumerations by name, null left out, NaN as "NaN".</summary>
    public static JsonSerializerOptions Format { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>The schema name of a verb: <c>tapestry/ledger-verify/1</c>.</summary>
    public static string Schema(string verb) => $"tapestry/{verb}/1";

    /// <summary>The line for a verb that succeeded.</summary>
    public static string Ok(string verb, object? data) =>
        JsonSerializer.Serialize(new Success(Schema(verb), "ok", data), Format);

    /// <summary>The line for a verb that did not.</summary>
    public static string Error(string verb, string code, string message, string hint) =>
        JsonSerializer.Serialize(new Failure(Schema(verb), "error", new Fault(code, message, hint)), Format);

    private sealed record Success(
        string Schema,
        string Status,
        [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] object? Data);

    private sealed record Failure(string Schema, string Status, Fault Error);

    private sealed record Fault(string Code, string Message, string Hint);
}
