using System.Diagnostics.CodeAnalysis;
using Tapestry.Crypto;
using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Encoding;

namespace Tapestry.Protocol.Messages;

public sealed partial record Certificate
{
    // type, instance, kind, view, value, votes
    private const int FieldCount = 6;

    /// <summary>The statement that every vote of this certificate signs.</summary>
    public Statement Vote => Kind switch
    {
        VoteKind.Notarize => new Statement.Notarize(View, Value),
        VoteKind.Nullify => new Statement.Nullify(View),
        _ => new Statement.Finalize(View, Value),
    };

    /// <summary>Whether a quorum of distinct members of <paramref name="committee"/> signed the vote of this instance and view.</summary>
    /// <remarks>Every vote's statement is rebuilt from the certificate and verified: one bad vote refuses the whole.</remarks>
    public bool Verify(Committee committee)
    {
        if (Instance.Committee != committee.Digest || Votes.Count < committee.Quorum)
        {
            return false;
        }

        Statement vote = Vote;
        MemberId? last = null;
        foreach (CertificateVote entry in Votes.AsSpan())
        {
            if ((last is MemberId previous && previous.CompareTo(entry.Author) >= 0)
                || !committee.Contains(entry.Author)
                || !Ed25519.Verify(entry.Author.Key, SignedStatement.SigningBytes(Instance, entry.Author, vote), entry.Signature))
            {
                return false;
            }

            last = entry.Author;
        }

        return true;
    }

    /// <summary>The encoding that travels and is stored: [16, instance, kind, view, value, votes].</summary>
    public ByteString Encode() => Encoded.Of(this, static (writer, certificate) => certificate.WriteTo(writer));

    /// <summary>Reads an encoding. Whether the votes hold is not checked here: <see cref="Verify"/>.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out Certificate? certificate)
    {
        certificate = null;
        if (bytes.Length > Limits.MessageBytes)
        {
            return false;
        }

        CanonicalReader reader = new(bytes);
        return reader.TryReadArray(FieldCount)
            && reader.TryReadInteger((int)MessageType.Certificate, (int)MessageType.Certificate, out int _)
            && TryReadAfterType(ref reader, out certificate);
    }

    internal void WriteTo(CanonicalWriter writer)
    {
        writer.WriteArray(FieldCount);
        writer.WriteInteger((byte)MessageType.Certificate);
        Instance.WriteTo(writer);
        writer.WriteInteger((byte)Kind);
        writer.WriteInteger(View);
        writer.WriteDigest(Value);
        writer.WriteArray(Votes.Count);
        foreach (CertificateVote vote in Votes.AsSpan())
        {
            writer.WriteArray(2);
            writer.WriteMember(vote.Author);
            writer.WriteSignature(vote.Signature);
        }
    }

    /// <summary>Reads the fields that follow the type, to the end of the bytes.</summary>
    internal static bool TryReadAfterType(ref CanonicalReader reader, [NotNullWhen(true)] out Certificate? certificate)
    {
        certificate = null;
        if (!Instance.TryRead(ref reader, out Instance? instance)
            || !instance.Admits(MessageType.Certificate)
            || !reader.TryReadInteger((int)VoteKind.Notarize, (int)VoteKind.Finalize, out int kind)
            || !reader.TryReadInteger(1, int.MaxValue, out int view)
            || !reader.TryReadDigest(out Digest value)
            || value.IsZero != ((VoteKind)kind == VoteKind.Nullify)
            || !reader.TryReadSequence(1, Limits.CommitteeMembers, TryReadVote, out Sequence<CertificateVote>? votes)
            || !Order.IsStrictlyAscending(votes, static vote => vote.Author)
            || !reader.IsAtEnd)
        {
            return false;
        }

        certificate = new Certificate(instance, (VoteKind)kind, view, value, votes);
        return true;
    }

    private static bool TryReadVote(ref CanonicalReader reader, out CertificateVote vote)
    {
        bool read = reader.TryReadArray(2)
            & reader.TryReadMember(out MemberId author)
            & reader.TryReadSignature(out Signature signature);
        vote = new CertificateVote(author, signature);
        return read;
    }
}
