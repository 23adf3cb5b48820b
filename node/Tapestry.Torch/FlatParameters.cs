using Tapestry.Torch.Modules;
using Tapestry.Torch.Native;

namespace Tapestry.Torch;

/// <summary>Where one parameter lies in a flat buffer.</summary>
/// <param name="Name">Its name in the module.</param>
/// <param name="Start">Index of its first element.</param>
/// <param name="Count">Number of its elements.</param>
/// <param name="Shape">Its shape, row-major.</param>
public sealed record FlatRange(string Name, long Start, long Count, IReadOnlyList<long> Shape);

/// <summary>All parameters of a module in one contiguous FP32 buffer, and their gradients in another.</summary>
/// <remarks>
/// The module's parameters become views: writing the buffer changes the model, a backward pass sums into
/// <see cref="Gradients"/>, and an update or a slice of one is plain arithmetic over a range. Order is registration order, without
/// gaps. Zero the gradients with <see cref="ZeroGradients"/>, never by setting a parameter's gradient to null.
/// </remarks>
public sealed class FlatParameters : IDisposable
{
    // Elements moved at a time between a GPU and the caller: 4 MiB keeps the link busy and the buffer small.
    private const int ChunkCount = 1 << 20;

    private readonly List<FlatRange> _ranges = [];
    private readonly List<Parameter> _parameters = [];
    private Tensor? _pinned;

    /// <summary>Moves a module's parameters into a flat buffer on their device. Values stay; gradients start at zero.</summary>
    /// <exception cref="ArgumentException">A parameter is not FP32, or they are on several devices.</exception>
    public FlatParameters(torch.nn.Module module)
    {
        ArgumentNullException.ThrowIfNull(module);
        long count = 0;
        foreach ((string name, Parameter parameter) in module.named_parameters())
        {
            long[] shape = parameter.shape;
            _ranges.Add(new FlatRange(name, count, parameter.numel(), shape));
            _parameters.Add(parameter);
            count += parameter.numel();
        }

        if (_parameters.Count == 0)
        {
            throw new ArgumentException("The module has no parameters.", nameof(module));
        }

        Device = _parameters[0].device;
        if (_parameters.Exists(parameter => parameter.dtype != ScalarType.Float32 || parameter.device != Device))
        {
            throw new ArgumentException("Every parameter must be FP32 and on one device.", nameof(module));
        }

        Count = count;
        Values = torch.zeros(count, device: Device).DetachFromDisposeScope();
        Gradients = torch.zeros(count, device: Device).DetachFromDisposeScope();
        Bind();
    }

    /// <summary>Number of elements.</summary>
    public long Count { get; }

    /// <summary>Where the buffers live.</summary>
    public Device Device { get; }

    /// <summary>The parameters, [Count].</summary>
    public Tensor Values { get; }

    /// <summary>The gradients, [Count].</summary>
    public Tensor Gradients { get; }

    /// <summary>Where each parameter lies.</summary>
    public IReadOnlyList<FlatRange> Ranges => _ranges;

    /// <summary>Sets the gradients to zero; once a step, before the backward pass.</summary>
    public void ZeroGradients() => Gradients.zero_();

    /// <summary>Copies parameters out, from any device.</summary>
    /// <param name="start">Index of the first element.</param>
    /// <param name="destination">Written in full.</param>
    public void CopyTo(long start, Span<float> destination) => Read(Values, start, destination);

    /// <summary>Copies parameters in, to any device.</summary>
    /// <param name="start">Index of the first element.</param>
    /// <param name="source">The values.</param>
    public void CopyFrom(long start, ReadOnlySpan<float> source) => Write(Values, start, source);

    /// <summary>Copies a range of a flat buffer that belongs to these parameters, such as optimiser state.</summary>
    /// <param name="buffer">[Count], FP32.</param>
    /// <param name="start">Index of the first element.</param>
    /// <param name="destination">Written in full.</param>
    public void Read(Tensor buffer, long start, Span<float> destination)
    {
        for (int done = 0; done < destination.Length;)
        {
            int length = Math.Min(ChunkCount, destination.Length - done);
            using Tensor range = Range(buffer, start + done, length);
            if (Device.type == DeviceType.CPU)
            {
                range.AsSpan<float>().CopyTo(destination[done..]);
            }
            else
            {
                using Tensor staging = Pinned().narrow(0, 0, length);
                staging.copy_(range);
                staging.AsSpan<float>().CopyTo(destination[done..]);
                GC.KeepAlive(staging);
            }

            GC.KeepAlive(range);
            done += length;
        }
    }

    /// <summary>Overwrites a range of a flat buffer that belongs to these parameters, such as optimiser state.</summary>
    /// <param name="buffer">[Count], FP32.</param>
    /// <param name="start">Index of the first element.</param>
    /// <param name="source">The values.</param>
    public void Write(Tensor buffer, long start, ReadOnlySpan<float> source)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        for (int done = 0; done < source.Length;)
        {
            int length = Math.Min(ChunkCount, source.Length - done);
            using Tensor range = Range(buffer, start + done, length);
            if (Device.type == DeviceType.CPU)
            {
                source.Slice(done, length).CopyTo(range.AsSpan<float>());
            }
            else
            {
                using Tensor staging = Pinned().narrow(0, 0, length);
                source.Slice(done, length).CopyTo(staging.AsSpan<float>());
                range.copy_(staging);
            }

            GC.KeepAlive(range);
            done += length;
        }

        buffer.BumpVersion();
    }

    /// <summary>Calls <paramref name="access"/> with parameters where they lie; on a GPU with a copy that is then written back.</summary>
    /// <param name="start">Index of the first element.</param>
    /// <param name="count">Number of elements.</param>
    /// <param name="access">Reads or writes them.</param>
    public void Access(long start, int count, ElementAccess<float> access)
    {
        ArgumentNullException.ThrowIfNull(access);
        if (Device.type == DeviceType.CPU)
        {
            using Tensor range = Range(Values, start, count);
            range.Access(access);
            return;
        }

        float[] copy = new float[count];
        CopyTo(start, copy);
        access(copy);
        CopyFrom(start, copy);
    }

    /// <summary>A leaf over a range, so that neighbouring matrices multiply as one: it shares values and gradients with them.</summary>
    /// <param name="start">Index of the first element.</param>
    /// <param name="shape">Row-major; its product is the number of elements.</param>
    /// <returns>A parameter that belongs to the caller.</returns>
    public Parameter Leaf(long start, params ReadOnlySpan<long> shape)
    {
        long count = 1;
        foreach (long length in shape)
        {
            count *= length;
        }

        using DisposeScope scope = torch.NewDisposeScope();
        return new Parameter(Values.narrow(0, start, count).view(shape))
        {
            grad = Gradients.narrow(0, start, count).view(shape),
        };
    }

    /// <summary>Frees the buffers. The module's parameters keep their own views.</summary>
    public void Dispose()
    {
        Values.Dispose();
        Gradients.Dispose();
        _pinned?.Dispose();
    }

    private static Tensor Range(Tensor buffer, long start, long count)
    {
        using Tensor plain = buffer.detach();
        return plain.narrow(0, start, count).DetachFromDisposeScope();
    }

    private void Bind()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using IDisposable still = torch.no_grad();
        for (int i = 0; i < _parameters.Count; i++)
        {
            long[] shape = [.. _ranges[i].Shape];
            Tensor view = Values.narrow(0, _ranges[i].Start, _ranges[i].Count).view(shape);
            view.copy_(_parameters[i]);
            _parameters[i].SetData(view);
            _parameters[i].grad = Gradients.narrow(0, _ranges[i].Start, _ranges[i].Count).view(shape);
        }
    }

    private Tensor Pinned()
    {
        if (_pinned is null)
        {
            Tensor.Check(Shim.tap_empty_pinned([ChunkCount], 1, (int)ScalarType.Float32, out TensorHandle handle), null);
            _pinned = new Tensor(handle, nameof(Pinned)).DetachFromDisposeScope();
        }

        return _pinned;
    }
}
