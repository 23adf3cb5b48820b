using FluentAssertions;
using Tapestry.Node.Storage;
using Tapestry.Node.Storage.RocksDb.Native;
using Tapestry.Protocol.Partners;
using Xunit;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>Counts native objects of the whole process, so no other test may run beside it.</summary>
[CollectionDefinition("Alone", DisableParallelization = true)]
public sealed class AloneCollection;

[Collection("Alone")]
public sealed class NativeHandleTests
{
    [Fact]
    public void Nothing_native_is_left_after_disposal()
    {
        using TemporaryFolder folder = new();
        int before = RocksDbHandle.LiveCount;
        for (int life = 0; life < 3; life++)
        {
            using RecordStore store = RecordStore.Open(folder.Path);
            for (int number = 1; number < 50; number++)
            {
                store.Write(StorageProcess.Batch(number));
                store.Read(Table.Slots, [1]).Should().BeNull();
            }

            StorageProcess.CountBatches(store).Should().Be(49);
            store.ReadAll(Table.Slots).First().Value.Length.Should().Be(200, "a walk that is left early frees its iterator");
            FluentActions.Invoking(() => RecordStore.Open(folder.Path)).Should().Throw<Cli.CliException>("a failed opening frees its options");
            store.LastKey(Table.Members).Should().BeNull();
            RocksDbHandle.LiveCount.Should().BeGreaterThan(before);
        }

        RocksDbHandle.LiveCount.Should().Be(before);
    }

    [Fact]
    public void Closing_under_busy_readers_ends_them_with_an_exception_and_nothing_else()
    {
        using TemporaryFolder folder = new();
        int before = RocksDbHandle.LiveCount;
        RecordStore store = RecordStore.Open(folder.Path);
        store.Write(StorageProcess.Batch(1));
        using CountdownEvent reading = new(4);
        Exception?[] ends = new Exception?[4];
        Thread[] readers = [.. Enumerable.Range(0, 4).Select(number => new Thread(() =>
        {
            reading.Signal();
            try
            {
                while (true)
                {
                    _ = number % 2 == 0 ? store.Read(Table.Slots, "key"u8) : store.ReadAll(Table.Slots).First().Value;
                }
            }
            catch (Exception error)
            {
                ends[number] = error;
            }
        }))];
        foreach (Thread reader in readers)
        {
            reader.Start();
        }

        reading.Wait();
        store.Dispose();
        foreach (Thread reader in readers)
        {
            reader.Join();
        }

        ends.Should().OnlyContain(end => end is ObjectDisposedException);
        RocksDbHandle.LiveCount.Should().Be(before);
        using RecordStore reopened = RecordStore.Open(folder.Path);
    }
}
