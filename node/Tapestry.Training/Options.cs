using System.Globalization;

namespace Tapestry.Training;

/// <summary>The one way in which options refuse a value: which, what it is, what it must be.</summary>
internal static class Options
{
    internal static void Require(bool holds, string option, object value, string range)
    {
        if (!holds)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{option} is {value}; it must be {range}."));
        }
    }
}
