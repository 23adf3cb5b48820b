using System.Globalization;

namespace Tapestry.Torch;

/// <summary>The kinds of device. The numbers are libtorch's.</summary>
public enum DeviceType
{
    /// <summary>The processor.</summary>
    CPU = 0,

    /// <summary>A GPU that libtorch reaches through CUDA or ROCm.</summary>
    CUDA = 1,
}

/// <summary>Where a tensor lives.</summary>
/// <param name="type">The kind of device.</param>
/// <param name="index">Which GPU, from 0; of no meaning on the CPU.</param>
public readonly record struct Device(DeviceType type, int index = 0)
{
    /// <summary>The number that the shim knows the device by.</summary>
    internal int Native => type == DeviceType.CPU ? -1 : index;

    /// <summary>Reads "cpu", "cuda" or "cuda:1".</summary>
    /// <exception cref="ArgumentException">The text names no device.</exception>
    public static Device Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        int index = 0;
        bool known = parts.Length == 1
            || (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out index));
        return (known, parts[0]) switch
        {
            (true, "cpu") => new Device(DeviceType.CPU),
            (true, "cuda") => new Device(DeviceType.CUDA, index),
            _ => throw new ArgumentException($"'{text}' is no device: use cpu, cuda or cuda:N.", nameof(text)),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => type == DeviceType.CPU ? "cpu" : string.Create(CultureInfo.InvariantCulture, $"cuda:{index}");

    internal static Device FromNative(int number) => number < 0 ? new Device(DeviceType.CPU) : new Device(DeviceType.CUDA, number);
}
