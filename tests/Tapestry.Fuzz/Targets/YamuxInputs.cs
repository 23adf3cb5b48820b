using Tapestry.Libp2p;
using Tapestry.Libp2p.Yamux;

namespace Tapestry.Fuzz.Targets;

/// <summary>Yamux as a peer drives it: the rules alone, and the connection with its tasks and pipes.</summary>
internal static class YamuxInputs
{
    // A header whose version has this bit is none of the peer's: the byte names an action of ours at this point.
    private const byte OurAction = 0x80;

    private static readonly YamuxLimits Limits = new() { StreamsMax = 16, UnacknowledgedMax = 8, GrowthBytesMax = 1024 * 1024, WindowBytesMax = 1024 * 1024 };

    /// <summary>One header of each type.</summary>
    public static IEnumerable<byte[]> Headers =>
    [
        Header(YamuxFrameType.Data, YamuxFlags.Syn, 1, 5),
        Header(YamuxFrameType.WindowUpdate, YamuxFlags.Ack, 2, 65536),
        Header(YamuxFrameType.Ping, YamuxFlags.Syn, 0, 77),
        Header(YamuxFrameType.GoAway, YamuxFlags.None, 0, 0),
    ];

    /// <summary>Headers without payload, with actions of ours between them.</summary>
    public static IEnumerable<byte[]> Sessions =>
    [
        [
            .. Header(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 1, 0), .. Header(YamuxFrameType.Data, YamuxFlags.None, 1, 200_000),
            .. Action(0), .. Action(1), .. Header(YamuxFrameType.WindowUpdate, YamuxFlags.Ack, 2, 100), .. Action(2), .. Action(3), .. Action(4),
            .. Header(YamuxFrameType.Data, YamuxFlags.Fin, 1, 10), .. Header(YamuxFrameType.Ping, YamuxFlags.Syn, 0, 9), .. Action(5),
            .. Header(YamuxFrameType.GoAway, YamuxFlags.None, 0, 0),
        ],
    ];

    /// <summary>A channel's bytes: frames with payload.</summary>
    public static IEnumerable<byte[]> Connections =>
    [
        [
            .. Header(YamuxFrameType.WindowUpdate, YamuxFlags.Syn, 1, 0), .. Header(YamuxFrameType.Data, YamuxFlags.None, 1, 5), 1, 2, 3, 4, 5,
            .. Header(YamuxFrameType.Data, YamuxFlags.Syn, 3, 1), 7, .. Header(YamuxFrameType.WindowUpdate, YamuxFlags.Rst, 3, 0),
            .. Header(YamuxFrameType.Data, YamuxFlags.Fin, 1, 0), .. Header(YamuxFrameType.Ping, YamuxFlags.Syn, 0, 9),
            .. Header(YamuxFrameType.GoAway, YamuxFlags.None, 0, 0),
        ],
    ];

    /// <summary>Lets the rules of a session judge headers to the first fault.</summary>
    public static object? RunSession(ReadOnlySpan<byte> input)
    {
        YamuxSession session = new(isDialler: false, Limits, new WindowBudget(Limits.GrowthBytesMax));
        List<Known> known = [];
        TimeSpan now = TimeSpan.Zero;
        for (; input.Length >= YamuxHeader.Bytes; input = input[YamuxHeader.Bytes..])
        {
            now += TimeSpan.FromMilliseconds(1);
            if ((input[0] & OurAction) != 0)
            {
                Act(session, input[0] & ~OurAction, known, now);
                continue;
            }

            if (YamuxHeader.Read(input, out YamuxHeader header) != YamuxFault.None)
            {
                return null;
            }

            YamuxVerdict verdict = session.Receive(header, now);
            if (verdict.Fault != YamuxFault.None)
            {
                return null;
            }

            if (verdict.Has(YamuxEvents.Opened))
            {
                known.Add(new Known(verdict.Stream!));
                if (known.Count % 2 == 0)
                {
                    session.Accepted();
                }
            }

            if (header.Type == YamuxFrameType.Data && known.Find(entry => entry.State == verdict.Stream) is Known receiver)
            {
                receiver.HeldBytes += header.Length;
            }

            if (session.StreamCount > 2 * Limits.StreamsMax)
            {
                throw new InvalidDataException($"{session.StreamCount} streams are open, more than both sides' limits.");
            }
        }

        return session.StreamCount;
    }

    /// <summary>Runs a connection over the bytes, with an application that takes every stream and reads it.</summary>
    public static object? RunConnection(ReadOnlySpan<byte> input)
    {
        YamuxConnection connection = YamuxConnection.Start(
            PieceStream.Pipe(input), IdentityTargets.Peer, isDialler: false, Limits, TimeProvider.System);
        return ServeAsync(connection).GetAwaiter().GetResult();
    }

    private static async Task<object?> ServeAsync(YamuxConnection connection)
    {
        List<Task> readers = [];
        while (await connection.AcceptStreamAsync(CancellationToken.None) is Libp2pStream stream)
        {
            readers.Add(ReadAsync(stream));
        }

        await Task.WhenAll(readers);
        return await connection.Completion == Libp2pFault.None ? readers.Count : null;
    }

    private static async Task ReadAsync(Libp2pStream stream)
    {
        await using (stream)
        {
            try
            {
                while (true)
                {
                    System.IO.Pipelines.ReadResult read = await stream.Input.ReadAsync();
                    stream.Input.AdvanceTo(read.Buffer.End);
                    if (read.IsCompleted)
                    {
                        await stream.CompleteWriteAsync(CancellationToken.None);
                        return;
                    }
                }
            }
            catch (Libp2pException)
            {
                // The peer reset the stream, or broke off.
            }
        }
    }

    private static void Act(YamuxSession session, int action, List<Known> known, TimeSpan now)
    {
        Known? last = known.Count == 0 ? null : known[^1];
        switch (action % 8)
        {
            case 0:
                if (last is not null)
                {
                    session.Taken(last.State, last.HeldBytes, now);
                    last.HeldBytes = 0;
                }

                break;
            case 1:
                if (session.Open() is YamuxStreamState opened)
                {
                    known.Add(new Known(opened));
                }

                break;
            case 2:
                while (session.TryTakeControl(now, out _))
                {
                    // Written: an empty queue is what the next frames meet.
                }

                break;
            case 3:
                if (last is not null)
                {
                    session.OutputReady(last.State);
                }

                break;
            case 4:
                if (session.TryTakeTurn(out YamuxStreamState? turn, out int most) && most > 0)
                {
                    session.TrySend(turn!, most, out _);
                }

                break;
            case 5:
                if (last is not null)
                {
                    session.TryFinish(last.State, out _);
                }

                break;
            case 6:
                session.Ping(now);
                break;
            default:
                if (last is not null)
                {
                    session.Reset(last.State);
                }

                break;
        }
    }

    private static byte[] Header(YamuxFrameType type, YamuxFlags flags, uint stream, uint length)
    {
        byte[] bytes = new byte[YamuxHeader.Bytes];
        new YamuxHeader(type, flags, stream, length).Write(bytes);
        return bytes;
    }

    private static byte[] Action(int action)
    {
        byte[] bytes = new byte[YamuxHeader.Bytes];
        bytes[0] = (byte)(OurAction | action);
        return bytes;
    }

    private sealed class Known(YamuxStreamState state)
    {
        public YamuxStreamState State { get; } = state;

        public long HeldBytes { get; set; }
    }
}
