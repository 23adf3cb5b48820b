using Xunit;

namespace Tapestry.Training.Tests;

/// <summary>Tests that compute with libtorch run one after the other: thread counts and live tensors belong to the process.</summary>
[CollectionDefinition(Name)]
public sealed class TorchCollection
{
    public const string Name = "libtorch";
}
