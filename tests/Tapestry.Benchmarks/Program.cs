using Tapestry.Benchmarks.Federation;

if (args is ["federation", .. string[] settings])
{
    using FederationExperiment experiment = new(FederationSettings.Parse(settings));
    Console.WriteLine(experiment.Run(Console.Error.WriteLine).ToText());
    return 0;
}

Console.Error.WriteLine("Usage: federation [name=value ...]; specs/experiments/demo-settings.md shows one.");
return 2;
