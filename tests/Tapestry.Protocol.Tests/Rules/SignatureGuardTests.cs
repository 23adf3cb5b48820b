using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;
using Xunit;
using Record = Tapestry.Protocol.Partners.Record;

namespace Tapestry.Protocol.Tests.Rules;

/// <summary>specs/20-agreement.md, section 3.</summary>
public sealed class SignatureGuardTests
{
    private static readonly SigningKey Key = Samples.Key(0);
    private static readonly MemberId Self = Samples.Id(Key);
    private static readonly Instance Place = new(Digest.Of("n"u8), Digest.Of("p"u8), 7, 0, 0, AgreementKind.Set, Digest.Of("c"u8));

    private readonly SignatureGuard _guard = new(Self, Key);
    private readonly Outbox _outbox = new(default, 1);

    [Fact]
    public void The_record_travels_in_the_step_of_the_signature()
    {
        SignedStatement signed = _guard.Sign(Place, new Statement.Nullify(1), _outbox)!;
        _outbox.ToStep().Records.Should().ContainSingle().Which.Value.Should().Be(signed.Encode());
    }

    [Fact]
    public void The_same_statement_gives_the_same_bytes_and_no_second_record()
    {
        SignedStatement first = _guard.Sign(Place, new Statement.Nullify(1), _outbox)!;
        SignedStatement second = _guard.Sign(Place, new Statement.Nullify(1), _outbox)!;
        second.Encode().Should().Be(first.Encode());
        _outbox.ToStep().Records.Should().ContainSingle();
    }

    [Fact]
    public void Another_statement_in_a_used_slot_is_refused_and_reported_as_our_own_fault()
    {
        _guard.Sign(Place, new Statement.Nullify(1), _outbox);
        _guard.Sign(Place, new Statement.Finalize(1, Digest.Of("x"u8)), _outbox).Should().BeNull();
        _outbox.ToStep().Effects.Should().ContainSingle().Which.Should().Be(new Effect.Report(Self, MemberFault.Equivocation));
    }

    [Fact]
    public void Slots_survive_a_restart()
    {
        _guard.Sign(Place, new Statement.Notarize(1, Digest.Of("x"u8)), _outbox);
        SignatureGuard again = new(Self, Key);
        foreach (Record record in _outbox.ToStep().Records)
        {
            SignedStatement.TryRead(record.Value!.Span, out SignedStatement? signed).Should().BeTrue();
            again.Restore(record.Key, signed!);
        }

        again.Sign(Place, new Statement.Notarize(1, Digest.Of("y"u8)), _outbox).Should().BeNull();
    }

    [Fact]
    public void Slots_of_rounds_that_are_over_are_deleted_and_only_those()
    {
        _guard.Sign(Place, new Statement.Nullify(1), _outbox);
        _guard.Sign(Place with { Round = 8 }, new Statement.Nullify(1), _outbox);
        Outbox later = new(default, 1);
        _guard.Forget(8, later);
        later.ToStep().Records.Should().ContainSingle().Which.Value.Should().BeNull();
        _guard.Signed.Should().ContainSingle().Which.Instance.Round.Should().Be(8);
    }
}
