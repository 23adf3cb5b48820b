using System.Runtime.CompilerServices;

// The rules are tested part by part, and the simulator breaks them on purpose (SeededBug) to see that it notices.
[assembly: InternalsVisibleTo("Tapestry.Protocol.Tests")]
[assembly: InternalsVisibleTo("Tapestry.Sim")]
[assembly: InternalsVisibleTo("Tapestry.Sim.Tests")]
