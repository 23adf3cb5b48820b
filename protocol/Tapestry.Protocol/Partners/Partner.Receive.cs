using Tapestry.Protocol.Agreement;
using Tapestry.Protocol.Encoding;
using Tapestry.Protocol.Messages;

namespace Tapestry.Protocol.Partners;

public sealed partial class Partner
{
    // A member asks once a resend timer, and now and then a few times at once: a set of 128 strange manifests takes four Wants.
    private const int AnswersPerResend = 4;

    private void Receive(MemberId from, PeerMessage message, Outbox outbox)
    {
        if (!_members.Contains(from))
        {
            outbox.Report(from, MemberFault.Stranger);
            return;
        }

        switch (message)
        {
            case PeerMessage.Status status:
                ReceiveStatus(from, status, outbox);
                break;
            case PeerMessage.Want want when want.Round == _head.Round && !IsIdle:
                AnswerWant(from, want, outbox);
                break;
            case PeerMessage.Signed signed when IsOurs(from, signed.Statement.Instance, outbox):
                if (signed.Statement.Instance.Round == _head.Round && !IsIdle)
                {
                    ReceiveSigned(from, signed.Statement, outbox);
                }
                else
                {
                    KeepForLater(from, signed.Statement.Instance, message, outbox.Now);
                }

                break;
            case PeerMessage.Certified certified when IsOurs(from, certified.Certificate.Instance, outbox):
                if (certified.Certificate.Instance.Round == _head.Round && !IsIdle)
                {
                    AgreementOf(certified.Certificate.Instance)?.Receive(certified.Certificate, outbox);
                }
                else
                {
                    KeepForLater(from, certified.Certificate.Instance, message, outbox.Now);
                }

                break;
            default:
                break;
        }
    }

    private bool IsOurs(MemberId from, Instance place, Outbox outbox)
    {
        if (place.Network != _network)
        {
            outbox.Report(from, MemberFault.WrongGenesis);
            return false;
        }

        if (place.Plan != _planDigest)
        {
            outbox.Report(from, MemberFault.WrongPlan);
            return false;
        }

        return true;
    }

    private void KeepForLater(MemberId from, Instance place, PeerMessage message, Instant arrived)
    {
        if (place.Round == _head.Round + 1)
        {
            _next.Keep(from, message, arrived);
        }
    }

    private void ReceiveSigned(MemberId from, SignedStatement signed, Outbox outbox)
    {
        bool isMember = signed.Statement is Statement.Manifest ? _members.Contains(signed.Author) : _committee.Contains(signed.Author);
        if (!isMember)
        {
            outbox.Report(from, MemberFault.Stranger);
            return;
        }

        if (from == signed.Author)
        {
            _round.Heard.Add(from);
            if (signed.Statement is Statement.Manifest)
            {
                _round.Contributing.Add(from);
            }
        }

        switch (signed.Statement)
        {
            case Statement.Manifest:
                ReceiveManifest(from, signed, outbox);
                break;
            case Statement.Receipt:
                ReceiveReceipt(signed, outbox);
                break;
            case Statement.Settlement:
                ReceiveSettlement(signed, outbox);
                break;
            default:
                ReceiveVote(from, signed, outbox);
                break;
        }
    }

    private void ReceiveVote(MemberId from, SignedStatement signed, Outbox outbox)
    {
        if (AgreementOf(signed.Instance) is not Simplex agreement)
        {
            return;
        }

        // Whoever still votes has not seen the decision. A late FINALIZE is ordinary: its sender asks by Status if it must.
        if (agreement.Decision is Certificate decision && signed.Statement is not Statement.Finalize)
        {
            if (MayAnswer(from, MessageType.Notarize))
            {
                outbox.Send(from, new PeerMessage.Certified(decision));
            }
        }
        else
        {
            agreement.Receive(signed, outbox);
        }
    }

    private void ReceiveStatus(MemberId from, PeerMessage.Status status, Outbox outbox)
    {
        if (status.Round > _head.Round)
        {
            _ahead[from] = status.Round;
            return;
        }

        if (status.Round < _head.Round)
        {
            outbox.Send(from, OwnStatus());
            return;
        }

        if (IsIdle)
        {
            return;
        }

        _round.Heard.Add(from);
        if (status.Agreement == AgreementKind.None)
        {
            _round.Contributing.Add(from);
        }

        if (!MayAnswer(from, MessageType.Status))
        {
            return;
        }

        if (status.Agreement == AgreementKind.Result)
        {
            _round.Result.Answer(from, status.View, outbox);
            if (_committee.Contains(from) && _round.OwnSettlement is SignedStatement settlement && _round.Result.Decision is null)
            {
                outbox.Send(from, new PeerMessage.Signed(settlement));
            }
        }
        else
        {
            _round.Set.Answer(from, status.View, outbox);
            if (_committee.Contains(from) && _round.Set.Decision is null && _round.Own is HeldUpdate own && !own.Receipts.HasFrom(from))
            {
                outbox.Send(from, new PeerMessage.Signed(own.Signed!));
            }
        }
    }

    private void AnswerWant(MemberId from, PeerMessage.Want want, Outbox outbox)
    {
        if (!_committee.Contains(from) || !MayAnswer(from, MessageType.Want))
        {
            return;
        }

        foreach (Crypto.Digest manifest in want.Manifests)
        {
            if (_round.Updates.TryGetValue(manifest, out HeldUpdate? update))
            {
                Show(update, [from], outbox);
            }
        }
    }

    /// <summary>Whether a member gets another answer to a kind of question before the next resend timer: asking costs less than answering.</summary>
    private bool MayAnswer(MemberId to, MessageType question)
    {
        int given = _round.Answers.GetValueOrDefault((to, question));
        _round.Answers[(to, question)] = Math.Min(given + 1, AnswersPerResend);
        return given < AnswersPerResend;
    }

    /// <summary>Sends a manifest and the receipts that count for it.</summary>
    private static void Show(HeldUpdate update, Sequence<MemberId> to, Outbox outbox)
    {
        if (update.Signed is SignedStatement manifest)
        {
            outbox.Send(to, manifest);
        }

        foreach (SignedStatement receipt in update.Receipts.Statements)
        {
            outbox.Send(to, receipt);
        }
    }

    void ISimplexRound.Accuse(SignedStatement first, SignedStatement second, Outbox outbox) => Accuse(first, second, outbox);

    /// <summary>Keeps two statements that exclude each other. Nothing follows from it in its own round: it never undoes a proposal.</summary>
    private void Accuse(SignedStatement first, SignedStatement second, Outbox outbox)
    {
        // One proof of a lie is enough; more would let a liar fill the disk.
        if (!_round.Accused.Add((second.Author, RecordKeys.Slot(second.Instance, second.Statement))))
        {
            return;
        }

        // In one order, so that the same pair is the same evidence whichever came first.
        ByteString one = first.Encode();
        ByteString other = second.Encode();
        (one, other) = ByteOrder.Instance.Compare(one, other) <= 0 ? (one, other) : (other, one);
        ByteString evidence = Encoded.Of((one, other), static (writer, pair) =>
        {
            writer.WriteArray(2);
            writer.WriteBinary(pair.one.Span);
            writer.WriteBinary(pair.other.Span);
        });
        outbox.Put(Table.Evidence, RecordKeys.Of(Crypto.Digest.Of(evidence.Span)), evidence);
        outbox.Report(second.Author, MemberFault.Equivocation);
    }
}
