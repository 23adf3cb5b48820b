using Tapestry.Crypto;
using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>What this process has of one blob, and the uploads that want to know when it has more. For use from any thread.</summary>
/// <param name="root">The blob's name.</param>
internal sealed class SharedBlob(Digest root)
{
    private readonly Lock _gate = new();
    private readonly List<UploadSession> _uploads = [];
    private readonly List<int> _gained = [];
    private IChunkSource? _source;
    private BlobExtent _extent;

    /// <summary>The blob's name.</summary>
    public Digest Root { get; } = root;

    /// <summary>Fetches and uploads that use this object; the owner of all of them counts.</summary>
    public int Users { get; set; }

    /// <summary>Where chunks are read from; null with nothing.</summary>
    public IChunkSource? Source => Volatile.Read(ref _source);

    /// <summary>How much there is.</summary>
    public BlobExtent Extent
    {
        get
        {
            lock (_gate)
            {
                return _extent;
            }
        }
    }

    /// <summary>An upload wants to be told.</summary>
    public void Attach(UploadSession upload)
    {
        lock (_gate)
        {
            _uploads.Add(upload);
        }
    }

    /// <summary>An upload has ended.</summary>
    public void Detach(UploadSession upload)
    {
        lock (_gate)
        {
            _uploads.Remove(upload);
        }
    }

    /// <summary>There is more, or all.</summary>
    public void Become(IChunkSource source, BlobExtent extent)
    {
        lock (_gate)
        {
            if (extent < _extent)
            {
                // What was there turned out to be damaged: whoever counted on it starts anew.
                _uploads.ForEach(upload => upload.Abandon());
            }

            Volatile.Write(ref _source, source);
            _extent = extent;
            _uploads.ForEach(upload => upload.Extended());
        }
    }

    /// <summary>The whole blob is there; unless somebody has said so before, or a fetch is on the way to it.</summary>
    /// <returns>False when it is not needed, and stays the caller's.</returns>
    public bool TryBecome(Blob whole)
    {
        lock (_gate)
        {
            if (_extent != BlobExtent.Nothing)
            {
                return false;
            }

            Become(whole, BlobExtent.Whole);
            return true;
        }
    }

    /// <summary>A chunk has been stored; uploads are told of several together.</summary>
    public void Gain(int chunk)
    {
        lock (_gate)
        {
            _gained.Add(chunk);
        }
    }

    /// <summary>Tells uploads of the chunks that were gained since the last time.</summary>
    public void TellGained()
    {
        lock (_gate)
        {
            if (_gained.Count > 0)
            {
                _uploads.ForEach(upload => upload.Gained(_gained));
                _gained.Clear();
            }
        }
    }

    /// <summary>There is nothing any more: whoever counted on it is told by a reset.</summary>
    public void Lose()
    {
        lock (_gate)
        {
            Volatile.Write(ref _source, null);
            _extent = BlobExtent.Nothing;
            _uploads.ForEach(upload => upload.Abandon());
        }
    }

    /// <summary>Closes what nobody uses any more.</summary>
    public void Close() => (Source as Blob)?.Dispose();
}
