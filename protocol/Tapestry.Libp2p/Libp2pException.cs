namespace Tapestry.Libp2p;

/// <summary>An operation on the network ended with a <see cref="Libp2pFault"/>; the fault says which, the message says of whom and what to do.</summary>
public sealed class Libp2pException : IOException
{
    /// <summary>An end with a named fault.</summary>
    public Libp2pException(Libp2pFault fault, string message, Exception? cause = null)
        : base(message, cause) => Fault = fault;

    /// <summary>What happened.</summary>
    public Libp2pFault Fault { get; }
}
