using Tapestry.Cli;
using Tapestry.Node.Demo;
using Tapestry.Node.Peer;
using Tapestry.Node.Verbs;

CommandLineApp app = new("Institutions co-train one model as equals: a partner's daemon and its tools.");
app.Root.Add(InitVerb.Create(app));
app.Root.Add(ConfigVerb.Create(app));
app.Root.Add(NetworkVerbs.Create(app));
app.Root.Add(RunVerb.Create(app));
app.Root.Add(StatusVerb.Create(app));
app.Root.Add(TrainVerb.Create(app));
app.Root.Add(GenerateVerb.Create(app));
app.Root.Add(ExportVerb.Create(app));
app.Root.Add(LedgerVerbs.Create(app));
app.Root.Add(PeerCommands.Create(app));
app.Root.Add(DemoVerb.Create(app));
return await app.RunAsync(args);
