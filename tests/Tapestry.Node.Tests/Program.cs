using Tapestry.Node.Tests.Scenarios;

// The test runner does not call this: scenarios start the test assembly as a process of its own.
return StorageProcess.Run(args);
