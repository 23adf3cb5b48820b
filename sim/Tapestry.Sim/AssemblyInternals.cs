using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Tapestry.Sim.Tests")]
