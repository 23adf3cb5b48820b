using Xunit;

namespace Tapestry.Protocol.Tests;

/// <summary>A fact that asks Debian's Python with numpy; skipped, by name, where it is not installed.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class NumpyFactAttribute : FactAttribute
{
    // The python3 on the path may be one without numpy.
    internal const string Python = "/usr/bin/python3";

    public NumpyFactAttribute()
    {
        if (!File.Exists(Python) || !Directory.Exists("/usr/lib/python3/dist-packages/numpy"))
        {
            Skip = "no numpy: install Debian's python3-numpy";
        }
    }
}
