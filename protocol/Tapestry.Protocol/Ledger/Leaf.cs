using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Encoding;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Ledger;

/// <summary>A leaf of the ledger: a closed choice. Everything in it is implied by decided values, so every member's tree is the same.</summary>
/// <remarks>specs/40-ledger.md, section 2. No signatures and no receipts: what members gather locally differs between them.</remarks>
public abstract record Leaf
{
    /// <summary>Bytes of the longest leaf: what a tile of entries can hold.</summary>
    public const int MaximumBytes = ushort.MaxValue;

    /// <summary>The first type number of entries that are made by one author.</summary>
    public const int FirstEntryType = 16;

    private const string Domain = "tapestry/leaf/v1";
    private const int HeadFieldCount = 3;
    private const int LongestFieldCount = 15;

    private const int GenesisType = 1;
    private const int ContributionType = 2;
    private const int DecisionType = 3;
    private const int ResultType = 4;
    private const int VoidType = 5;

    private Leaf(int type, long round)
    {
        Type = type;
        Round = round;
    }

    /// <summary>The type number.</summary>
    public int Type { get; }

    /// <summary>The round whose record it belongs to; 0 for the genesis.</summary>
    public long Round { get; }

    /// <summary>The first leaf of every ledger.</summary>
    /// <param name="Network">Digest of the genesis.</param>
    /// <param name="Plan">Digest of its plan.</param>
    /// <param name="InitialBase">Digest of B_0.</param>
    /// <param name="CreatedMs">Milliseconds since the Unix epoch.</param>
    public sealed record Genesis(Digest Network, Digest Plan, Digest InitialBase, long CreatedMs) : Leaf(GenesisType, 0);

    /// <summary>One included update.</summary>
    /// <param name="InRound">The round.</param>
    /// <param name="Inclusion">Whose manifest, and how it counted.</param>
    public sealed record Contribution(long InRound, Inclusion Inclusion) : Leaf(ContributionType, InRound);

    /// <summary>A decision of an earlier agreement that the set of this round records: what was decided, not who signed.</summary>
    public sealed record Decision(long InRound, RecordedDecision Decided) : Leaf(DecisionType, InRound);

    /// <summary>What a round came to.</summary>
    /// <param name="InRound">The round.</param>
    /// <param name="SetDigest">The decided set.</param>
    /// <param name="AggregateRoot">Root over the slices' aggregate roots.</param>
    /// <param name="Base">The new base.</param>
    /// <param name="MemberState">Root over the members' rows after this round.</param>
    public sealed record Result(long InRound, Digest SetDigest, Digest AggregateRoot, Digest Base, Digest MemberState) : Leaf(ResultType, InRound);

    /// <summary>A round without a result.</summary>
    /// <param name="InRound">The round.</param>
    /// <param name="Agreement">Which agreement was voided.</param>
    /// <param name="CertifiedTimeMs">Milliseconds since the Unix epoch.</param>
    /// <param name="SetDigest">The decided set, or zero when the set agreement itself was voided.</param>
    public sealed record Void(long InRound, AgreementKind Agreement, long CertifiedTimeMs, Digest SetDigest) : Leaf(VoidType, InRound);

    /// <summary>An entry of a type that this version keeps and proves but does not interpret.</summary>
    /// <param name="OfType">From <see cref="FirstEntryType"/> to 255.</param>
    /// <param name="InRound">The round.</param>
    /// <param name="Bytes">The whole leaf.</param>
    public sealed record Entry(int OfType, long InRound, ByteString Bytes) : Leaf(OfType, InRound);

    /// <summary>The bytes that the tree hashes: an array that opens with "tapestry/leaf/v1", the type and the round.</summary>
    public ByteString Encode() => this is Entry entry ? entry.Bytes : Encoded.Of(this, static (writer, leaf) => leaf.WriteTo(writer));

    /// <summary>Reads a leaf; of an entry of another type only that it is canonical.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Leaf? leaf)
    {
        leaf = null;
        CanonicalReader reader = new(bytes);
        if (bytes.Length > MaximumBytes
            || !reader.TryReadArray(HeadFieldCount, LongestFieldCount, out int fieldCount)
            || !reader.TryReadLiteral(Domain)
            || !reader.TryReadInteger(GenesisType, byte.MaxValue, out int type)
            || !reader.TryReadInteger(type == GenesisType ? 0 : 1, type == GenesisType ? 0 : long.MaxValue, out long round))
        {
            return false;
        }

        leaf = (type, fieldCount - HeadFieldCount) switch
        {
            (GenesisType, 4) => ReadGenesis(ref reader),
            (ContributionType, 5) => DecidedValue.TryReadInclusionFields(ref reader, out Inclusion inclusion) ? new Contribution(round, inclusion) : null,
            (DecisionType, 3) => DecidedValue.TryReadDecisionFields(ref reader, out RecordedDecision decided) ? new Decision(round, decided) : null,
            (ResultType, 4) => ReadResult(ref reader, round),
            (VoidType, 3) => ReadVoid(ref reader, round),
            ( >= FirstEntryType, int rest) => reader.TrySkip(rest) ? new Entry(type, round, ByteString.CopyFrom(bytes)) : null,
            _ => null,
        };
        leaf = reader.IsAtEnd ? leaf : null;
        return leaf is not null;
    }

    private static Genesis? ReadGenesis(ref CanonicalReader reader) =>
        reader.TryReadDigest(out Digest network)
        && reader.TryReadDigest(out Digest plan)
        && reader.TryReadDigest(out Digest initialBase)
        && reader.TryReadInteger(0, long.MaxValue, out long createdMs)
            ? new Genesis(network, plan, initialBase, createdMs)
            : null;

    private static Result? ReadResult(ref CanonicalReader reader, long round) =>
        reader.TryReadDigest(out Digest set)
        && reader.TryReadDigest(out Digest aggregateRoot)
        && reader.TryReadDigest(out Digest newBase)
        && reader.TryReadDigest(out Digest memberState)
            ? new Result(round, set, aggregateRoot, newBase, memberState)
            : null;

    private static Void? ReadVoid(ref CanonicalReader reader, long round) =>
        reader.TryReadInteger((int)AgreementKind.Set, (int)AgreementKind.Result, out int agreement)
        && reader.TryReadInteger(0, long.MaxValue, out long certifiedTimeMs)
        && reader.TryReadDigest(out Digest set)
        && set.IsZero == ((AgreementKind)agreement == AgreementKind.Set)
            ? new Void(round, (AgreementKind)agreement, certifiedTimeMs, set)
            : null;

    private void WriteTo(CanonicalWriter writer)
    {
        switch (this)
        {
            case Genesis genesis:
                WriteHead(writer, 4);
                writer.WriteDigest(genesis.Network);
                writer.WriteDigest(genesis.Plan);
                writer.WriteDigest(genesis.InitialBase);
                writer.WriteInteger(genesis.CreatedMs);
                break;
            case Contribution contribution:
                WriteHead(writer, 5);
                DecidedValue.WriteInclusionFields(writer, contribution.Inclusion);
                break;
            case Decision decision:
                WriteHead(writer, 3);
                DecidedValue.WriteDecisionFields(writer, decision.Decided);
                break;
            case Result result:
                WriteHead(writer, 4);
                writer.WriteDigest(result.SetDigest);
                writer.WriteDigest(result.AggregateRoot);
                writer.WriteDigest(result.Base);
                writer.WriteDigest(result.MemberState);
                break;
            case Void empty:
                WriteHead(writer, 3);
                writer.WriteInteger((byte)empty.Agreement);
                writer.WriteInteger(empty.CertifiedTimeMs);
                writer.WriteDigest(empty.SetDigest);
                break;
            default:
                throw new InvalidOperationException($"A leaf of type {GetType().Name} has no encoding.");
        }
    }

    private void WriteHead(CanonicalWriter writer, int furtherFields)
    {
        writer.WriteArray(HeadFieldCount + furtherFields);
        writer.WriteString(Domain);
        writer.WriteInteger(Type);
        writer.WriteInteger(Round);
    }
}
