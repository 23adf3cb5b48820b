using Tapestry.Crypto;
using Tapestry.Node.Storage.Blobs;

namespace Tapestry.Node.Swarm;

/// <summary>What this process has of one blob, and the uploads that want to know when it has more. For use from any thread.</summary>
/// <remarks>
/// It only grows, until it is lost; then it offers nothing any more, and whoever comes afterwards gets another. What is read
/// from stays open until the last user has gone, so nobody's file is closed under it.
/// </remarks>
/// <param name="root">The blob's name.</param>
internal sealed class SharedBlob(Digest root)
{
    private readonly Lock _gate = new();
    private readonly List<UploadSession> _uploads = [];
    private readonly List<int> _gained = [];
    private IChunkSource? _source;
    private BlobExtent _extent;
    private bool _isLost;

    /// <summary>The blob's name.</summary>
    public Digest Root { get; } = root;

    /// <summary>Fetches and uploads that use this object; the owner of all of them counts.</summary>
    public int Users { get; set; }

    /// <summary>Where chunks are read from, for as long as the caller is a user; null with nothing.</summary>
    public IChunkSource? Source
    {
        get
        {
            lock (_gate)
            {
                return _isLost ? null : _source;
            }
        }
    }

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

    /// <summary>There was something, and it is gone or damaged.</summary>
    public bool IsLost
    {
        get
        {
            lock (_gate)
            {
                return _isLost;
            }
        }
    }

    /// <summary>An upload wants to be told.</summary>
    public void Attach(UploadSession upload)
    {
        lock (_gate)
        {
            _uploads.Add(upload);
            if (_isLost)
            {
                upload.Abandon();
            }
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

    /// <summary>There is something to read from now on, unless there was before.</summary>
    /// <param name="source">A part, or the whole blob.</param>
    /// <param name="extent">Which.</param>
    /// <returns>Whether it was taken over, to be closed with the last user; else it stays the caller's.</returns>
    public bool TryBecome(IChunkSource source, BlobExtent extent)
    {
        lock (_gate)
        {
            if (_source is not null)
            {
                return false;
            }

            _source = source;
            Extend(extent);
            return true;
        }
    }

    /// <summary>The part that is there has become the whole.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            Extend(BlobExtent.Whole);
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
            _isLost = true;
            _uploads.ForEach(upload => upload.Abandon());
        }
    }

    /// <summary>Closes what nobody uses any more.</summary>
    public void Close() => _source?.Dispose();

    private void Extend(BlobExtent extent)
    {
        _extent = extent;
        _uploads.ForEach(upload => upload.Extended());
    }
}
