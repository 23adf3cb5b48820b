namespace Tapestry.Node.Configuration;

/// <summary>One key of the configuration, as <c>tapestry config</c> lists it.</summary>
/// <param name="Key">Its path, such as <c>training:threads</c>.</param>
/// <param name="Default">The value when nothing sets it.</param>
/// <param name="Range">What is accepted, with the unit.</param>
/// <param name="Meaning">What it does.</param>
internal sealed record Setting(string Key, string Default, string Range, string Meaning);
