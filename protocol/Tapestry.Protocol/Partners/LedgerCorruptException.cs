namespace Tapestry.Protocol.Partners;

/// <summary>The durable records contradict themselves. The process must stop: signing over them could contradict what was said.</summary>
public sealed class LedgerCorruptException : Exception
{
    /// <summary>Without a text.</summary>
    public LedgerCorruptException()
    {
    }

    /// <summary>With what is wrong.</summary>
    public LedgerCorruptException(string message)
        : base(message)
    {
    }

    /// <summary>With what is wrong and what showed it.</summary>
    public LedgerCorruptException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
