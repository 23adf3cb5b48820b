using System.IO.Pipelines;
using FluentAssertions;
using Tapestry.Libp2p.Yamux;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios.Yamux;

/// <summary>Random streams, lengths, chunks, ends and cuts of the channel, against the obvious reference: a numbered sequence.</summary>
public sealed class YamuxInterleavingTests : IDisposable
{
    private readonly CancellationTokenSource _late = new(TimeSpan.FromSeconds(60));

    private CancellationToken Late => _late.Token;

    public void Dispose() => _late.Dispose();

    [Fact]
    public async Task Whatever_the_interleaving_each_stream_gets_exactly_its_sequence()
    {
        for (int seed = 0; seed < 25; seed++)
        {
            try
            {
                await RunAsync(seed);
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"fails with seed {seed}", failure);
            }
        }
    }

    private async Task RunAsync(int seed)
    {
        await using YamuxPair pair = YamuxPair.Choppy(seed);
        Random random = new(seed);
        List<StreamPlan> plans = [.. Enumerable.Range(0, random.Next(1, 20)).Select(i => StreamPlan.Draw(i, random))];
        Task accepting = AcceptAsync(pair.Dialler, plans, plans.Count(plan => !plan.ByDialler));
        Task answering = AcceptAsync(pair.Listener, plans, plans.Count(plan => plan.ByDialler));
        await Task.WhenAll(plans.Select(plan => OpenAsync(plan.ByDialler ? pair.Dialler : pair.Listener, plan)).Append(accepting).Append(answering));
        pair.Dialler.Fault.Should().Be(YamuxFault.None);
        pair.Listener.Fault.Should().Be(YamuxFault.None);
        pair.Dialler.Completion.IsCompleted.Should().BeFalse();
    }

    private async Task OpenAsync(YamuxConnection connection, StreamPlan plan)
    {
        Libp2pStream stream = await connection.OpenStreamAsync(Late);
        await stream.Output.WriteAsync(new[] { (byte)plan.Number }, Late);

        // An early reset could overtake the opening; that has a test of its own.
        try
        {
            ReadResult welcome = await stream.Input.ReadAsync(Late);
            stream.Input.AdvanceTo(welcome.Buffer.GetPosition(1));
        }
        catch (Libp2pException ended) when (plan.Back.Resets && ended.Fault == Libp2pFault.StreamReset)
        {
            return;
        }

        await RunSideAsync(stream, plan.Number, plan.There, plan.Back);
    }

    private async Task AcceptAsync(YamuxConnection connection, List<StreamPlan> plans, int count)
    {
        List<Task> sides = [];
        for (int i = 0; i < count; i++)
        {
            Libp2pStream stream = (await connection.AcceptStreamAsync(Late))!;
            ReadResult first = await stream.Input.ReadAsync(Late);
            StreamPlan plan = plans[first.Buffer.FirstSpan[0]];
            stream.Input.AdvanceTo(first.Buffer.GetPosition(1));
            await stream.Output.WriteAsync(new byte[1], Late);
            sides.Add(RunSideAsync(stream, plan.Number, plan.Back, plan.There));
        }

        await Task.WhenAll(sides);
    }

    private async Task RunSideAsync(Libp2pStream stream, int number, Direction sends, Direction receives)
    {
        Task writing = WriteAsync(stream, number, sends);
        await ReadAsync(stream, number, receives, mayBeCut: sends.Resets || receives.Resets);
        await writing;
        await stream.DisposeAsync();
    }

    private async Task WriteAsync(Libp2pStream stream, int number, Direction plan)
    {
        try
        {
            await Numbered.WriteAsync(stream.Output, number, plan.Bytes, plan.Chunk, Late);
            if (plan.Resets)
            {
                stream.Reset();
                return;
            }

            await stream.CompleteWriteAsync(Late);
        }
        catch (Libp2pException ended) when (ended.Fault is Libp2pFault.StreamReset or Libp2pFault.ClosedLocally)
        {
            // The other direction was drawn to end with a reset.
        }
    }

    private async Task ReadAsync(Libp2pStream stream, int number, Direction plan, bool mayBeCut)
    {
        try
        {
            long received = await Numbered.ReadAsync(stream.Input, number, Late);
            received.Should().Be(plan.Bytes);
        }
        catch (Libp2pException ended) when (mayBeCut && ended.Fault is Libp2pFault.StreamReset or Libp2pFault.ClosedLocally)
        {
            // As drawn: what came before it was checked byte by byte.
        }
    }

    private sealed record Direction(long Bytes, int Chunk, bool Resets);

    private sealed record StreamPlan(int Number, bool ByDialler, Direction There, Direction Back)
    {
        public static StreamPlan Draw(int number, Random random)
        {
            bool resets = random.Next(4) == 0;
            return new StreamPlan(number, random.Next(2) == 0, DrawDirection(resets && random.Next(2) == 0), DrawDirection(resets));

            Direction DrawDirection(bool withReset) =>
                new(random.Next(3) == 0 ? random.Next(2_000_000) : random.Next(5000), random.Next(1, 100_000), withReset);
        }
    }
}
