using Tapestry.Cli;
using Tapestry.Sim.Commands;

CommandLineApp app = new("Simulates networks of partners in virtual time: the very rules that the daemon runs.", "sim");
app.Root.Add(RunVerb.Create(app));
app.Root.Add(CampaignVerb.Create(app));
return await app.RunAsync(args);
