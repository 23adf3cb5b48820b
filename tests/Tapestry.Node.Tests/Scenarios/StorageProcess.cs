using System.Buffers.Binary;
using System.Diagnostics;
using Tapestry.Cli;
using Tapestry.Crypto;
using Tapestry.Node.Storage;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;

namespace Tapestry.Node.Tests.Scenarios;

/// <summary>What a storage scenario runs as a process of its own, and how a test starts it.</summary>
internal static class StorageProcess
{
    public const string Hold = "hold";
    public const string WriteForever = "write-forever";
    public const string FillDisk = "fill-disk";
    public const string Limited = "limited";

    private const int SmallValueBytes = 200;
    private const int LargeValueBytes = 50_000;

    /// <summary>Starts the test assembly with arguments of its own, under a wrapper where one is named.</summary>
    public static Process Start(string[] wrapper, params string[] arguments)
    {
        string[] command = [.. wrapper, Environment.ProcessPath!, "exec", typeof(StorageProcess).Assembly.Location, .. arguments];
        return Process.Start(new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    /// <summary>The process's side.</summary>
    public static int Run(string[] arguments)
    {
        switch (arguments)
        {
            case [Hold, string folder]:
                HoldRecords(folder);
                return 0;
            case [WriteForever, string folder]:
                WriteRecords(folder, long.MaxValue);
                return 0;
            case [Limited, string folder]:
                RunIntoLimit(folder);
                return 0;
            case [FillDisk, string folder]:
                FillUp(folder);
                return 0;
            default:
                return 2;
        }
    }

    /// <summary>The two records of a batch: both are there, or neither.</summary>
    public static Sequence<Record> Batch(long number, int valueBytes = SmallValueBytes) =>
        [new Record(Table.Slots, Key(number), Value(number, valueBytes)), new Record(Table.Entries, Key(number), Value(-number, valueBytes))];

    /// <summary>How many batches the records hold, from 1 without a gap; -1 when one is there by half or wrong.</summary>
    public static long CountBatches(RecordStore store, int valueBytes = SmallValueBytes)
    {
        long[] slots = [.. store.ReadAll(Table.Slots).Select(row => BinaryPrimitives.ReadInt64BigEndian(row.Key.Span))];
        long[] entries = [.. store.ReadAll(Table.Entries).Select(row => BinaryPrimitives.ReadInt64BigEndian(row.Key.Span))];
        bool isWhole = slots.SequenceEqual(entries)
            && slots.Select((number, index) => number == index + 1).All(isNext => isNext)
            && slots.All(number => Batch(number, valueBytes).All(record => record.Value!.Equals(store.Read(record.Table, record.Key.Span))));
        return isWhole ? slots.Length : -1;
    }

    private static void HoldRecords(string folder)
    {
        using RecordStore store = RecordStore.Open(folder);
        Say("open");
        Console.In.ReadLine();
    }

    private static void WriteRecords(string folder, long count)
    {
        using RecordStore store = RecordStore.Open(folder);
        long first = CountBatches(store) + 1;
        for (long number = first; number < count; number++)
        {
            store.Write(Batch(number));
            Say($"acknowledged {number}");
        }
    }

    /// <summary>Fills a small disk with records until they are refused, then to the brim with a blob; frees some space and goes on.</summary>
    private static void FillUp(string folder)
    {
        string ballast = Path.Combine(folder, "ballast");
        File.WriteAllBytes(ballast, new byte[20 * 1024 * 1024]);
        string blobFolder = Path.Combine(folder, "blobs");
        string recordFolder = Path.Combine(folder, "records");
        using BlobStore blobs = BlobStore.Open(blobFolder, BlobTrailer.ChunkBytesMin);
        Digest kept = blobs.Write(new byte[100_000], round: 1);
        long acknowledged = 0;
        using (RecordStore store = RecordStore.Open(recordFolder))
        {
            string record = CodeOf(() =>
            {
                while (true)
                {
                    store.Write(Batch(acknowledged + 1, LargeValueBytes));
                    acknowledged++;
                }
            });
            bool isReadable = store.Read(Table.Slots, Key(1).Span) is not null;
            string blob = CodeOf(() => blobs.Write(new byte[120 * 1024 * 1024], round: 2));
            bool isIncomingEmpty = !Directory.EnumerateFiles(Path.Combine(blobFolder, "incoming")).Any();
            Say($"{record} {blob} readable={isReadable} incoming-empty={isIncomingEmpty}");

            File.Delete(ballast);
            store.Write(Batch(acknowledged + 1, LargeValueBytes));
        }

        using RecordStore reopened = RecordStore.Open(recordFolder);
        long found = CountBatches(reopened, LargeValueBytes);
        bool isKept = blobs.TryOpen(kept, out Blob? open) && open.TryReadAll(new byte[open.Length]);
        blobs.Write([1], round: 3);
        Say($"kept={isKept} intact={acknowledged > 0 && found == acknowledged + 1}");
    }

    /// <summary>Runs into a limit on file sizes, as a failing disk does: the write after it must not be tried.</summary>
    private static void RunIntoLimit(string folder)
    {
        long acknowledged = 0;
        using (RecordStore store = RecordStore.Open(folder))
        {
            void WriteOn()
            {
                while (true)
                {
                    store.Write(Batch(acknowledged + 1));
                    acknowledged++;
                }
            }

            Say($"{CodeOf(WriteOn)} {CodeOf(() => store.Write(Batch(acknowledged + 1)))}");
        }

        Say($"acknowledged {acknowledged}");
    }

    private static string CodeOf(Action action)
    {
        try
        {
            action();
            return "none";
        }
        catch (CliException error)
        {
            return error.Code;
        }
    }

    private static void Say(string line)
    {
        Console.Out.WriteLine(line);
        Console.Out.Flush();
    }

    private static ByteString Key(long number)
    {
        byte[] key = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(key, number);
        return ByteString.Own(key);
    }

    private static ByteString Value(long number, int valueBytes)
    {
        byte[] value = new byte[valueBytes];
        BinaryPrimitives.WriteInt64BigEndian(value, number);
        return ByteString.Own(value);
    }
}
