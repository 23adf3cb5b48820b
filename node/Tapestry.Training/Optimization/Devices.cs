using Tapestry.Torch;

namespace Tapestry.Training.Optimization;

/// <summary>Turns a device's name into a device that is there.</summary>
internal static class Devices
{
    /// <exception cref="ArgumentException">The name is unknown, or this machine has no such device.</exception>
    internal static Device Open(string name)
    {
        Device device = Device.Parse(name);
        int count = device.type == DeviceType.CUDA ? torch.cuda.device_count() : 1;
        Options.Require(device.type == DeviceType.CPU || device.index < count, "Device", name,
            $"one of the {count} CUDA devices that this libtorch sees, or \"cpu\"");
        return device;
    }
}
