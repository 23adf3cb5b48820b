namespace Tapestry.Libp2p;

/// <summary>Whether others can dial us.</summary>
public enum Reachability : byte
{
    /// <summary>Too few have answered.</summary>
    Unknown = 0,

    /// <summary>They can.</summary>
    Public,

    /// <summary>They cannot: a firewall or an address translation is between.</summary>
    Private,
}

/// <summary>How an <see cref="Autonat"/> asks and answers.</summary>
public sealed record AutonatOptions
{
    /// <summary>Whether to dial others back, within <see cref="ResourceLimits.Autonat"/>. Default: yes.</summary>
    public bool Serves { get; init; } = true;

    /// <summary>Whether to ask. Default: yes.</summary>
    public bool Asks { get; init; } = true;

    /// <summary>How many peers must say the same. Default 4: the specification's "more than 3", so that three liars change nothing.</summary>
    public int AnswersNeeded { get; init; } = 4;

    /// <summary>Whether loopback, private and link-local addresses are dialled for others. Default: no, as they mean another machine to each.</summary>
    public bool DialsPrivateAddresses { get; init; }

    /// <summary>How often each peer is asked again. Default 15 min: an answer may be as old as a firewall's rule change is new.</summary>
    public TimeSpan AskInterval { get; init; } = TimeSpan.FromMinutes(15);
}
