using System.CommandLine;
using Tapestry.Benchmarks;
using Tapestry.Benchmarks.Federation;
using Tapestry.Benchmarks.Network;
using Tapestry.Benchmarks.Swarm;
using Tapestry.Benchmarks.Training;
using Tapestry.Cli;
using Tapestry.Libp2p;

// As the daemon does.
SocketContinuations.RunInline();

// A benchmark that compares whole processes starts this program again in the part of our own side.
if (args is [TrainingWorker.Argument, .. string[] rest])
{
    return TrainingWorker.Run(rest);
}

if (args is [NetworkPeer.Argument, string security])
{
    return await NetworkPeer.RunAsync(security);
}

if (args is [SwarmBenchPeer.Argument, string address, string folder])
{
    return await SwarmBenchPeer.RunAsync(address, folder);
}

if (args is ["federation", .. string[] settings])
{
    using FederationExperiment experiment = new(FederationSettings.Parse(settings));
    Console.WriteLine(experiment.Run(Console.Error.WriteLine).ToText());
    return 0;
}

IReadOnlyList<Benchmark> benchmarks = [new TrainingBenchmark(), new NetworkBenchmark()];

Argument<string> name = new("name") { Description = string.Join("; ", benchmarks.Select(benchmark => $"{benchmark.Name}: {benchmark.Description}")) };
name.AcceptOnlyFromAmong([.. benchmarks.Select(benchmark => benchmark.Name)]);
Option<int> runs = new("--runs") { Description = "How often each side runs; medians count.", DefaultValueFactory = _ => 3 };
Option<int> threads = new("--threads") { Description = "Threads of each side.", DefaultValueFactory = _ => Environment.ProcessorCount };
Option<string> python = new("--python") { Description = "A Python with PyTorch.", DefaultValueFactory = _ => "/usr/bin/python3" };
Option<int> minutes = new("--minutes") { Description = "How long to watch what must stay flat; 0 for a short look.", DefaultValueFactory = _ => 0 };
Option<string?> part = new("--part") { Description = "One part of the network benchmark; all without it." };
part.AcceptOnlyFromAmong([.. NetworkBenchmark.Parts.Select(part => part.Name)]);

CommandLineApp app = new("Measures Tapestry against its peers, in the same run on the same machine.", "bench");
app.Root.Add(name);
app.Root.Add(runs);
app.Root.Add(threads);
app.Root.Add(python);
app.Root.Add(minutes);
app.Root.Add(part);
app.Root.Validators.Add(arguments =>
{
    if (arguments.GetValue(part) is string only && arguments.GetValue(name) != "network")
    {
        arguments.AddError($"--part {only} is a part of 'network', not of '{arguments.GetValue(name)}'.");
    }
});
app.Does(app.Root, async (arguments, terminal, stopping) =>
{
    Benchmark chosen = benchmarks.Single(benchmark => benchmark.Name == arguments.GetValue(name));
    BenchmarkOptions options = new(arguments.GetValue(runs), arguments.GetValue(threads), arguments.GetValue(python)!, arguments.GetValue(minutes), arguments.GetValue(part));
    IReadOnlyList<BenchmarkRow> rows = await chosen.RunAsync(options, terminal, stopping);
    return new VerbResult(new { Rows = rows }, console => console.Write(BenchmarkTable.Of(rows)));
});
return await app.RunAsync(args);
