using System.Runtime.CompilerServices;

// The rules are tested part by part, the fuzz run reaches every decoder, and the simulator breaks them on purpose (SeededBug) to
// see that it notices.
[assembly: InternalsVisibleTo("Tapestry.Protocol.Tests")]
[assembly: InternalsVisibleTo("Tapestry.Fuzz")]
[assembly: InternalsVisibleTo("Tapestry.Sim")]
[assembly: InternalsVisibleTo("Tapestry.Sim.Tests")]
