using System.Buffers.Binary;
using Tapestry.Crypto;
using Tapestry.Protocol;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Plans;

namespace Tapestry.Sim;

/// <summary>The network of a world: keys from the seed, and a plan in units of the world's delay.</summary>
/// <remarks>The figures are those with which the rules were first tried: specs/70-simulation.md, section 3.</remarks>
internal static class SimPlan
{
    internal const int Slices = 2;

    // A parameter count that fills the slices: 64 KiB chunks of FP32 hold 2^14 elements.
    private const long ParameterCount = Slices * (64 * 1024 / sizeof(float));

    internal static SigningKey KeyOf(long seed, int member, KeyUse use)
    {
        byte[] bytes = new byte[8 + 4 + 1];
        BinaryPrimitives.WriteInt64BigEndian(bytes, seed);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(8), member);
        bytes[12] = (byte)use;
        return SigningKey.FromSeed(Digest.Of(bytes).ToArray());
    }

    internal static Genesis GenesisOf(WorldOptions options, out SigningKey[] keys)
    {
        keys = [.. Enumerable.Range(0, options.Members)
            .Select(member => KeyOf(options.Seed, member, KeyUse.Member)).OrderBy(key => key.PublicKey)];
        Member[] members = new Member[keys.Length];
        for (int index = 0; index < keys.Length; index++)
        {
            using SigningKey peer = KeyOf(options.Seed, index, KeyUse.Peer);
            using SigningKey checkpoint = KeyOf(options.Seed, index, KeyUse.Checkpoint);
            members[index] = new Member(new MemberId(keys[index].PublicKey), $"member-{index}", peer.PublicKey, checkpoint.PublicKey);
        }

        return new Genesis(
            "simulated", World.StartMs - 1, PlanOf(options), Digest.Of("B_0"u8), Sequence.Create<Member>(members),
            members.Take(options.Committee).Select(member => member.Id).ToSequence(), NoFaultTolerance: options.Committee < 4);
    }

    private static Plan PlanOf(WorldOptions options)
    {
        int delay = options.DelayMs;
        return PlanDefaults.Small with
        {
            Name = "simulated",
            ParameterCount = ParameterCount,
            Exchange = PlanDefaults.Small.Exchange with { Slices = Slices, Up = Codec.Fp32 },
            Influence = PlanDefaults.Small.Influence with { MinimumMembers = Math.Max(1, Math.Min(options.Members, 2)) },
            Timing = new Timing(
                ContributeMs: options.ContributeMs, CloseMarginMs: 3 * delay, AggregateMs: 20 * delay, ViewMs: 6 * delay,
                ViewMaximumMs: 48 * delay, ResendMs: options.ResendMs, SkewMs: Math.Max(delay / 2, 2 * options.ClockSkewMs) + delay, TakeoverMs: 6 * delay, KeepRounds: options.KeepRounds),
            Rounds = options.Rounds,
        };
    }

    internal enum KeyUse : byte
    {
        Member = 1,
        Peer = 2,
        Checkpoint = 3,
    }
}
