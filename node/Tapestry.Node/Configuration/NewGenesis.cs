using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Node.Rounds;
using Tapestry.Protocol;
using Tapestry.Protocol.Aggregation;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Configuration;

/// <summary>Makes a genesis: checks the plan, generates B_0, seats the committee.</summary>
internal static class NewGenesis
{
    private static readonly int[] TolerantCommittees = [13, 10, 7, 4];

    /// <summary>Seats of the committee.</summary>
    /// <param name="wanted">0 for the most of 4, 7, 10 or 13 that the members fill.</param>
    /// <param name="members">Members of the network.</param>
    public static int Seats(int wanted, int members) =>
        wanted != 0 ? wanted : TolerantCommittees.FirstOrDefault(seats => seats <= members, members);

    /// <summary>A genesis.</summary>
    /// <exception cref="CliException">Plan, members or committee break a rule; the message names key, value and range.</exception>
    public static Genesis Create(
        string name, Plan plan, IReadOnlyCollection<Member> members, int seats, bool noFaultTolerance, TimeProvider time)
    {
        Require(PlanRules.Validate(plan));
        long counted = PlanModel.Layout(plan).Count;
        if (counted != plan.ParameterCount)
        {
            throw new CliException(
                "plan-invalid", $"parameterCount is {plan.ParameterCount}, but the model's shape has {counted} parameters.",
                "Write 0 to have it filled in.", ExitCode.Configuration);
        }

        Member[] sorted = [.. members.OrderBy(member => member.Id)];
        Genesis genesis = new(
            name, time.GetUtcNow().ToUnixTimeMilliseconds(), plan, InitialBase(plan), sorted.ToSequence(),
            sorted.Take(Seats(seats, sorted.Length)).Select(member => member.Id).ToSequence(), noFaultTolerance);
        Require(GenesisRules.Validate(genesis));
        return genesis;
    }

    /// <summary>The name of B_0: generated parameters, momentum zero.</summary>
    private static Digest InitialBase(Plan plan)
    {
        BaseLayout layout = BaseLayout.Of(plan);
        float[] parameters = PlanModel.InitialParameters(plan);
        Digest[] slices = new Digest[layout.SliceCount];
        for (int slice = 0; slice < slices.Length; slice++)
        {
            SliceBuffer buffer = new(layout.Slice(slice));
            buffer.TakeParameters(parameters);
            slices[slice] = Protocol.Aggregation.Roots.OfBaseSlice(layout, slice, buffer.Slice.Parameters, buffer.Slice.Momentum);
        }

        return Protocol.Aggregation.Roots.OfSlices(slices);
    }

    private static void Require(Sequence<PlanProblem> problems)
    {
        if (problems.Count > 0)
        {
            throw new CliException(
                "plan-invalid", string.Join(" ", problems.Select(problem => problem.ToString())),
                "Start from a preset: tapestry network plan --preset small", ExitCode.Configuration);
        }
    }
}
