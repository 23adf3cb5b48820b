namespace Tapestry.Libp2p.Yamux;

/// <summary>What a session knows of one stream. Only <see cref="YamuxSession"/> changes it.</summary>
internal sealed class YamuxStreamState(uint id, bool isOurs, int windowBytesMax)
{
    /// <summary>The id: odd if the dialler opened the stream, else even.</summary>
    public uint Id { get; } = id;

    /// <summary>Whether we opened it.</summary>
    public bool IsOurs { get; } = isOurs;

    /// <summary>What the remote may send.</summary>
    public ReceiveWindow Window { get; } = new(windowBytesMax);

    /// <summary>How many bytes we may send, in bytes.</summary>
    public long SendWindow { get; set; } = YamuxLimits.InitialWindowBytes;

    /// <summary>Ours: the SYN is written. The remote's: true from the start.</summary>
    public bool IsAnnounced { get; set; } = !isOurs;

    /// <summary>The side that did not open it has acknowledged it.</summary>
    public bool IsAcknowledged { get; set; }

    /// <summary>We have said that we send no more.</summary>
    public bool FinSent { get; set; }

    /// <summary>The remote has said that it sends no more.</summary>
    public bool FinReceived { get; set; }

    /// <summary>Reset by one side or closed by both: no frame of it is sent any more.</summary>
    public bool IsGone { get; set; }

    /// <summary>Waits for its turn to send.</summary>
    public bool HasTurn { get; set; }

    /// <summary>A window update waits to be sent.</summary>
    public bool HasUpdate { get; set; }

    /// <summary>The pipes that carry its bytes; null where only the rules are tested.</summary>
    public YamuxStream? Stream { get; set; }
}
