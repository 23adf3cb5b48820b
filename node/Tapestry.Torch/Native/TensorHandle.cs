using System.Runtime.InteropServices;

namespace Tapestry.Torch.Native;

/// <summary>Owns one native tensor handle; the last reference to its storage frees the storage.</summary>
internal sealed class TensorHandle : SafeHandle
{
    private long _pressureBytes;

    public TensorHandle()
        : base(0, ownsHandle: true)
    {
    }

    /// <summary>The absent tensor, for optional arguments.</summary>
    internal static TensorHandle None { get; } = new();

    public override bool IsInvalid => handle == 0;

    /// <summary>Tells the collector what hangs on this object, until it is freed.</summary>
    internal void AddPressure(long bytes)
    {
        _pressureBytes = bytes;
        GC.AddMemoryPressure(bytes);
    }

    protected override bool ReleaseHandle()
    {
        Shim.tap_tensor_free(handle);
        if (_pressureBytes > 0)
        {
            GC.RemoveMemoryPressure(_pressureBytes);
        }

        return true;
    }
}
