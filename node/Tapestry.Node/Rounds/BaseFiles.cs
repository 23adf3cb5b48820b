using System.Runtime.InteropServices;
using Tapestry.Crypto;
using Tapestry.Node.Configuration;
using Tapestry.Node.Network;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Rounds;

/// <summary>Bases on disk: one blob a slice, and the list of their roots under the base's name.</summary>
/// <param name="blobs">Where the slices are.</param>
/// <param name="lists">Where the lists are.</param>
/// <param name="genesis">Names B_0 and the plan.</param>
internal sealed class BaseFiles(BlobStore blobs, RootLists lists, Genesis genesis)
{
    /// <summary>How the plan cuts a base.</summary>
    public BaseLayout Layout { get; } = BaseLayout.Of(genesis.Plan);

    /// <summary>The roots of a base's slices; null when it is not held in full.</summary>
    public Digest[]? SlicesOf(Digest @base) =>
        lists.Read(@base) is Digest[] slices && slices.Length == Layout.SliceCount && Array.TrueForAll(slices, blobs.Contains) ? slices : null;

    /// <summary>Notes that a round still names a base.</summary>
    /// <returns>Whether it is held in full.</returns>
    public bool Keep(Digest @base, long round)
    {
        if (SlicesOf(@base) is not Digest[] slices)
        {
            return false;
        }

        blobs.Keep(slices, round);
        lists.Write(slices, round);
        return true;
    }

    /// <summary>Writes B_0, which every member generates for itself; does nothing when it is held.</summary>
    /// <exception cref="Cli.CliException">It is not what the genesis names.</exception>
    public void WriteInitial()
    {
        if (SlicesOf(genesis.InitialBase) is not null)
        {
            return;
        }

        float[] parameters = PlanModel.InitialParameters(genesis.Plan);
        using BaseDraft draft = new(this, blobs, lists, round: 0);
        for (int slice = 0; slice < Layout.SliceCount; slice++)
        {
            SliceBuffer buffer = new(Layout.Slice(slice));
            buffer.TakeParameters(parameters);
            draft.Add(buffer);
        }

        Digest written = draft.Commit();
        if (written != genesis.InitialBase)
        {
            throw new Cli.CliException(
                "other-initial-base", $"This program generates {written.ToShortString()} where the genesis names {genesis.InitialBase.ToShortString()}.",
                "Use the version that the network was created with.", Cli.ExitCode.Configuration);
        }
    }

    /// <summary>Starts to write a base.</summary>
    /// <param name="round">The round that names it.</param>
    public BaseDraft Draft(long round) => new(this, blobs, lists, round);

    /// <summary>Reads one slice.</summary>
    /// <returns>False when it is damaged; it has then been moved aside and counts as absent.</returns>
    public bool TryReadSlice(Digest root, SliceBuffer buffer)
    {
        if (!blobs.TryOpen(root, out Blob? blob))
        {
            return false;
        }

        using (blob)
        {
            return blob.Length == buffer.Bytes.Length && blob.TryReadAll(buffer.Bytes);
        }
    }

    /// <summary>Reads the parameters of a base, [P].</summary>
    /// <returns>Null when it is not held in full, or damaged.</returns>
    public float[]? ReadParameters(Digest @base)
    {
        if (SlicesOf(@base) is not Digest[] slices)
        {
            return null;
        }

        float[] parameters = new float[Layout.ParameterCount];
        for (int slice = 0; slice < slices.Length; slice++)
        {
            SliceBuffer buffer = new(Layout.Slice(slice));
            if (!TryReadSlice(slices[slice], buffer))
            {
                return null;
            }

            buffer.PutParameters(parameters);
        }

        return parameters;
    }
}

/// <summary>A base in the making: its slices in order, made durable together.</summary>
internal sealed class BaseDraft(BaseFiles files, BlobStore blobs, RootLists lists, long round) : IDisposable
{
    private readonly List<BlobWriter> _slices = [];

    /// <summary>Adds the next slice.</summary>
    public void Add(SliceBuffer buffer)
    {
        BlobWriter writer = blobs.Create(round, files.Layout.ChunkBytes);
        _slices.Add(writer);
        writer.Append(buffer.Bytes);
    }

    /// <summary>Makes the base durable.</summary>
    /// <returns>Its name.</returns>
    public Digest Commit()
    {
        blobs.Commit(_slices);
        return lists.Write([.. _slices.Select(slice => slice.Root)], round);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (BlobWriter slice in _slices)
        {
            slice.Dispose();
        }
    }
}

/// <summary>One slice of a base in memory: parameters, then outer momentum, each with its padding.</summary>
internal sealed class SliceBuffer(SliceExtent extent)
{
    private readonly float[] _values = new float[BaseLayout.Sections * extent.PaddedElements];

    /// <summary>Both sections as they are hashed and stored.</summary>
    public Span<byte> Bytes => MemoryMarshal.AsBytes(_values.AsSpan());

    /// <summary>The slice as aggregation takes it.</summary>
    public BaseSlice Slice => new(_values.AsSpan(0, extent.PaddedElements), _values.AsSpan(extent.PaddedElements));

    /// <summary>Copies the slice's parameters out of a whole vector, [P].</summary>
    public void TakeParameters(ReadOnlySpan<float> parameters) =>
        parameters.Slice(checked((int)extent.FirstElement), extent.Elements).CopyTo(_values);

    /// <summary>Copies the slice's parameters into a whole vector, [P].</summary>
    public void PutParameters(Span<float> parameters) =>
        _values.AsSpan(0, extent.Elements).CopyTo(parameters[checked((int)extent.FirstElement)..]);
}
