using FluentAssertions;
using Xunit;

namespace Tapestry.Libp2p.Tests.Rules.Peers;

public sealed class AddressBookTests
{
    private static readonly Multiaddr Public = Multiaddr.Parse("/ip4/203.0.113.1/tcp/1");
    private static readonly Multiaddr Named = Multiaddr.Parse("/dns/peer.example/tcp/2");
    private static readonly Multiaddr Private = Multiaddr.Parse("/ip4/10.1.2.3/tcp/3");
    private static readonly Multiaddr Loopback = Multiaddr.Parse("/ip4/127.0.0.1/tcp/4");

    private readonly ManualTime _time = new();
    private readonly PeerId _peer = Hosts.Peer(1);

    [Fact]
    public void A_newer_record_replaces_an_older_one_and_never_the_other_way()
    {
        AddressBook book = Book();
        book.Accept(Record(1, 5, Public)).Should().Be(RecordVerdict.Accepted);
        book.Accept(Record(1, 5, Public)).Should().Be(RecordVerdict.Known);
        book.Accept(Record(1, 4, Private)).Should().Be(RecordVerdict.Stale);
        book.Accept(Record(1, 6, Named)).Should().Be(RecordVerdict.Accepted);

        Addresses(book).Should().Equal(Named);
        book.RecordOf(_peer)!.Record.Sequence.Should().Be(6);
    }

    [Fact]
    public void Of_two_records_with_one_sequence_the_first_holds()
    {
        AddressBook book = Book();
        book.Accept(Record(1, 5, Public));
        book.Accept(Record(1, 5, Private)).Should().Be(RecordVerdict.Stale);
        Addresses(book).Should().Equal(Public);
    }

    [Fact]
    public void An_envelope_that_does_not_open_changes_nothing_and_is_named()
    {
        AddressBook book = Book();
        byte[] wrong = Record(1, 5, Public).Envelope.Encoded.ToArray();
        wrong[^1] ^= 1;
        book.TryAccept(wrong).Should().Be(RecordFault.BadSignature);
        book.Peers.Should().BeEmpty();
        book.TryAccept(Record(1, 5, Public).Envelope.Encoded.Span).Should().Be(RecordFault.None);
        book.Peers.Should().Equal(_peer);
    }

    [Fact]
    public void What_a_peer_tells_is_kept_without_its_own_id_and_nothing_of_another()
    {
        AddressBook book = Book();
        book.Tell(_peer, [Public, Public.WithPeer(_peer), Private.WithPeer(Hosts.Peer(2))]);
        Addresses(book).Should().Equal(Public);
    }

    [Fact]
    public void What_a_person_gave_stays_beside_what_the_peer_signs()
    {
        AddressBook book = Book(new AddressBookOptions { RecordLifetime = TimeSpan.FromDays(1) });
        book.Pin(_peer, [Private.WithPeer(_peer)]);
        book.Accept(Record(1, 1, Public, Private));
        book.AddressesOf(_peer).Select(known => (known.Address, known.Source))
            .Should().Equal((Public, AddressSource.Record), (Private, AddressSource.Given));

        _time.Advance(TimeSpan.FromDays(2));
        book.AddressesOf(_peer).Select(known => (known.Address, known.Source)).Should().Equal((Private, AddressSource.Given));
        book.RecordOf(_peer).Should().BeNull();
    }

    [Fact]
    public void A_record_that_nobody_repeats_is_forgotten_after_its_lifetime()
    {
        AddressBook book = Book(new AddressBookOptions { RecordLifetime = TimeSpan.FromDays(1) });
        book.Accept(Record(1, 1, Public));
        _time.Advance(TimeSpan.FromHours(20));
        book.Accept(Record(1, 1, Public)).Should().Be(RecordVerdict.Known);
        _time.Advance(TimeSpan.FromHours(20));
        Addresses(book).Should().Equal(Public);
        _time.Advance(TimeSpan.FromHours(5));
        book.Peers.Should().BeEmpty();
    }

    [Fact]
    public void Told_addresses_count_until_there_is_a_record_and_are_not_passed_on()
    {
        AddressBook book = Book();
        book.Tell(_peer, [Private]);
        book.AddressesOf(_peer).Should().ContainSingle().Which.Source.Should().Be(AddressSource.Told);
        book.RecordOf(_peer).Should().BeNull();
        book.Accept(Record(1, 1, Public));
        Addresses(book).Should().Equal(Public);
        book.Tell(_peer, [Private]);
        Addresses(book).Should().Equal(Public);
    }

    [Fact]
    public void Addresses_that_nobody_can_dial_are_left_out()
    {
        AddressBook book = Book();
        book.Accept(Record(1, 1, [.. new[] { "/ip4/0.0.0.0/tcp/1", "/ip6/::/tcp/1", "/ip4/1.2.3.4/tcp/0", "/ip4/224.0.0.1/tcp/1", "/ip6/fe80::1/tcp/1", "/ip4/1.2.3.4" }.Select(Multiaddr.Parse), Public]));
        Addresses(book).Should().Equal(Public);
    }

    [Fact]
    public void At_the_bound_the_peer_that_was_heard_of_longest_ago_goes_and_given_ones_do_not_count()
    {
        AddressBook book = Book(peersMax: 3);
        book.Pin(Hosts.Peer(9), [Public]);
        for (byte number = 1; number <= 4; number++)
        {
            book.Accept(Record(number, 1, Public));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        book.Peers.Should().BeEquivalentTo([Hosts.Peer(2), Hosts.Peer(3), Hosts.Peer(4), Hosts.Peer(9)]);
        book.Accept(Record(2, 2, Public));
        book.Accept(Record(5, 1, Public));
        book.Peers.Should().BeEquivalentTo([Hosts.Peer(2), Hosts.Peer(4), Hosts.Peer(5), Hosts.Peer(9)]);
    }

    [Fact]
    public void Only_believed_peers_are_kept_and_never_ourselves()
    {
        AddressBook book = Book(new AddressBookOptions { Believes = peer => peer != _peer });
        book.Accept(Record(1, 1, Public)).Should().Be(RecordVerdict.Refused);
        book.Accept(Record(200, 1, Public)).Should().Be(RecordVerdict.Refused);
        book.Tell(_peer, [Public]);
        book.Peers.Should().BeEmpty();
    }

    [Fact]
    public void The_order_is_last_reached_then_fewest_failures_then_public_private_loopback()
    {
        AddressBook book = Book(new AddressBookOptions { FirstRest = TimeSpan.FromSeconds(1), Seed = 1 });
        book.Accept(Record(1, 1, Loopback, Private, Public, Named));
        Addresses(book).Should().Equal(Public, Named, Private, Loopback);

        book.Missed(_peer, Public, leadsElsewhere: false);
        Addresses(book).Should().Equal(Named, Private, Loopback, Public);

        book.Reached(_peer, Loopback);
        Addresses(book).Should().Equal(Loopback, Named, Private, Public);
    }

    [Fact]
    public void Rests_double_with_jitter_up_to_the_longest_and_success_forgets_them()
    {
        AddressBook book = Book(new AddressBookOptions { FirstRest = TimeSpan.FromSeconds(1), LongestRest = TimeSpan.FromSeconds(10), Seed = 1 });
        book.Accept(Record(1, 1, Public));
        foreach (double seconds in new[] { 1.0, 2, 4, 8, 10, 10 })
        {
            book.Missed(_peer, Public, leadsElsewhere: false);
            book.RestOf(_peer)!.Value.TotalSeconds.Should().BeInRange(0.5 * seconds, seconds);
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        book.RestOf(_peer).Should().Be(TimeSpan.Zero);
        book.AddressesOf(_peer)[0].Failures.Should().Be(6);
        book.Reached(_peer, Public);
        book.AddressesOf(_peer)[0].Failures.Should().Be(0);
    }

    [Fact]
    public void Rests_differ_by_seed_and_are_the_same_for_one_seed()
    {
        TimeSpan[] rests = [.. new[] { 1, 1, 2 }.Select(seed =>
        {
            AddressBook book = Book(new AddressBookOptions { Seed = seed });
            book.Pin(_peer, [Public]);
            book.Missed(_peer, Public, leadsElsewhere: false);
            return book.RestOf(_peer)!.Value;
        })];
        rests[0].Should().Be(rests[1]).And.NotBe(rests[2]);
    }

    [Fact]
    public void An_address_where_somebody_else_answers_rests_longest_at_once()
    {
        AddressBook book = Book(new AddressBookOptions { LongestRest = TimeSpan.FromMinutes(5) });
        book.Pin(_peer, [Public]);
        book.Missed(_peer, Public, leadsElsewhere: true);
        book.RestOf(_peer)!.Value.TotalSeconds.Should().BeInRange(150, 300);
    }

    [Fact]
    public void What_came_of_dialling_is_kept_for_known_addresses_only()
    {
        AddressBook book = Book();
        book.Accept(Record(1, 1, Public));
        book.Missed(_peer, Public, leadsElsewhere: false);
        book.Accept(Record(1, 2, Private));
        book.Accept(Record(1, 3, Public));
        book.AddressesOf(_peer)[0].Failures.Should().Be(0);
        book.Missed(_peer, Named, leadsElsewhere: false);
        book.RestOf(_peer).Should().Be(TimeSpan.Zero);
        book.RestOf(Hosts.Peer(2)).Should().BeNull();
    }

    [Fact]
    public void Changes_are_told_and_repetitions_are_not()
    {
        AddressBook book = Book();
        List<PeerId> changed = [];
        book.Changed += changed.Add;
        book.Accept(Record(1, 1, Public));
        book.Accept(Record(1, 1, Public));
        book.Accept(Record(1, 2, Public));
        changed.Should().HaveCount(1);
        book.Accept(Record(1, 3, Private));
        book.Accept(Record(1, 2, Public));
        changed.Should().HaveCount(2);
    }

    [Fact]
    public void Records_survive_in_the_store_and_are_checked_when_they_are_read()
    {
        Store store = new();
        AddressBook book = Book(new AddressBookOptions { Store = store });
        book.Accept(Record(1, 1, Public));
        book.Accept(Record(1, 2, Private));
        book.Accept(Record(2, 1, Public));
        store.Rows[Hosts.Peer(3)] = new StoredPeerRecord(new byte[] { 1, 2, 3 }, _time.GetUtcNow());
        byte[] changed = Record(4, 1, Public).Envelope.Encoded.ToArray();
        changed[^1] ^= 1;
        store.Rows[Hosts.Peer(4)] = new StoredPeerRecord(changed, DateTimeOffset.MaxValue);

        AddressBook reopened = Book(new AddressBookOptions { Store = store });

        reopened.Peers.Should().BeEquivalentTo([Hosts.Peer(1), Hosts.Peer(2)]);
        Addresses(reopened).Should().Equal(Private);
    }

    [Fact]
    public void A_stored_record_ages_over_the_restart_and_one_from_the_future_counts_as_of_now()
    {
        Store store = new();
        store.Rows[Hosts.Peer(1)] = new StoredPeerRecord(Record(1, 1, Public).Envelope.Encoded, _time.GetUtcNow() - TimeSpan.FromDays(29));
        store.Rows[Hosts.Peer(2)] = new StoredPeerRecord(Record(2, 1, Public).Envelope.Encoded, DateTimeOffset.MaxValue);
        AddressBook book = Book(new AddressBookOptions { Store = store });
        book.Peers.Should().HaveCount(2);
        _time.Advance(TimeSpan.FromDays(2));
        book.Peers.Should().Equal(Hosts.Peer(2));
        store.Rows.Keys.Should().Equal(Hosts.Peer(2));
        _time.Advance(TimeSpan.FromDays(29));
        book.Peers.Should().BeEmpty();
    }

    [Fact]
    public void Our_own_sequence_passes_every_one_that_was_ever_seen_of_us()
    {
        Store store = new();
        AddressBook book = Book(new AddressBookOptions { Store = store });
        SignedPeerRecord first = book.SignOwn(Hosts.Identity(200), [Public]);
        SignedPeerRecord second = book.SignOwn(Hosts.Identity(200), [Public]);
        second.Record.Sequence.Should().BeGreaterThan(first.Record.Sequence);

        AddressBook restarted = Book(new AddressBookOptions { Store = store });
        restarted.SignOwn(Hosts.Identity(200), [Public]).Record.Sequence.Should().BeGreaterThan(second.Record.Sequence);
        restarted.IsOwnOutdated.Should().BeFalse();
        restarted.Accept(Record(200, ulong.MaxValue - 5, Private)).Should().Be(RecordVerdict.Refused);
        restarted.IsOwnOutdated.Should().BeTrue("somebody holds a newer one, of before our folder was lost");
        restarted.SignOwn(Hosts.Identity(200), [Public]).Record.Sequence.Should().Be(ulong.MaxValue - 4);
    }

    private static SignedPeerRecord Record(byte peer, ulong sequence, params Multiaddr[] addresses) =>
        SignedPeerRecord.Sign(Hosts.Identity(peer), sequence, addresses);

    private AddressBook Book(AddressBookOptions? options = null, int peersMax = 10) =>
        new(Hosts.Peer(200), options ?? new AddressBookOptions(), peersMax, _time);

    private IEnumerable<Multiaddr> Addresses(AddressBook book) => book.AddressesOf(_peer).Select(known => known.Address);

    private sealed class Store : IPeerRecordStore
    {
        public Dictionary<PeerId, StoredPeerRecord> Rows { get; } = [];

        public IEnumerable<StoredPeerRecord> Load() => [.. Rows.Values];

        public void Save(PeerId peer, StoredPeerRecord record) => Rows[peer] = record;

        public void Remove(PeerId peer) => Rows.Remove(peer);
    }
}
