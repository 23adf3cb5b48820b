using Tapestry.Cli;
using Tapestry.Node.Verbs;

CommandLineApp app = new("Institutions co-train one model as equals: a partner's daemon and its tools.");
app.Root.Add(InitVerb.Create(app));
app.Root.Add(ConfigVerb.Create(app));
return await app.RunAsync(args);
