using Xunit;

// What one decoder allocates is measured: nothing else may run beside it.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
