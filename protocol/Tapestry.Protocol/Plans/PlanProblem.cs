namespace Tapestry.Protocol.Plans;

/// <summary>One thing that is wrong with a plan or a genesis, said so that its writer can mend it.</summary>
/// <param name="Key">The path of the key, such as exchange.chunkBytes.</param>
/// <param name="Value">What it is.</param>
/// <param name="Range">What it may be, with its unit.</param>
/// <param name="Hint">What to do next.</param>
public sealed record PlanProblem(string Key, string Value, string Range, string Hint)
{
    /// <summary>One line for people.</summary>
    public override string ToString() => $"{Key} is {Value}; it must be {Range}. {Hint}";
}
