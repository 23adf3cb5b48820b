using System.Collections.Concurrent;
using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Tapestry.Cli;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Gossip;

namespace Tapestry.Node.Peer;

/// <summary><c>tapestry peer gossip</c>: hears what is said in a topic, and says something.</summary>
internal sealed class PeerGossip
{
    private const int MessagesKept = 1000;

    private readonly PeerHost _shared = new();

    private readonly Argument<string[]> _peers = new("address")
    {
        Description = "Peers to gossip with, such as /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…. None: wait for others to connect.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    private readonly Option<string> _topic = new("--topic") { Description = "The topic.", Required = true };

    private readonly Option<string?> _publish = new("--publish") { Description = "Say this, once a peer listens." };

    private readonly Option<int?> _messages = new("--messages") { Description = "Stop after so many messages of others." };

    /// <summary>The verb.</summary>
    public static Command Create(CommandLineApp app)
    {
        PeerGossip verb = new();
        verb._messages.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int?>() < 1)
            {
                result.AddError("--messages is at least 1.");
            }
        });
        Command command = new("gossip", "Hear what is said in a gossipsub topic, and say something.")
        {
            verb._peers, verb._topic, verb._publish, verb._messages,
        };
        verb._shared.AddTo(command, listens: true);
        return app.Does(command, verb.RunAsync);
    }

    private Task<VerbResult> RunAsync(ParseResult arguments, Terminal terminal, CancellationToken stopping)
    {
        List<Multiaddr> peers = [.. (arguments.GetValue(_peers) ?? []).Select(PeerHost.ParsePeer)];
        IReadOnlyList<Multiaddr> listen = _shared.ListenAddresses(arguments);
        return _shared.RunAsync(
            arguments,
            options => options with { ListenAddresses = listen },
            async (host, _) =>
            {
                await using Gossipsub gossip = new(host, new GossipOptions());
                using Conversation conversation = new(gossip, RequireTopic(arguments.GetRequiredValue(_topic), host), arguments.GetValue(_messages), terminal);
                PeerHost.Start(host, terminal);
                foreach (Multiaddr peer in peers)
                {
                    await host.DialAsync(peer, stopping);
                }

                int? reached = null;
                if (arguments.GetValue(_publish) is string text)
                {
                    reached = await conversation.PublishAsync(text, _shared.Timeout(arguments), stopping);
                    terminal.Say($"published     to {reached} peers");
                }

                bool goesOn = reached is null || arguments.GetValue(_messages) is not null || arguments.GetValue(_shared.ForSeconds) is not null;
                if (goesOn)
                {
                    await conversation.EndAsync(end => _shared.EndAsync(arguments, end), stopping);
                }

                return conversation.Result(host, reached);
            });
    }

    private static string RequireTopic(string topic, Libp2pHost host)
    {
        int most = host.Options.Limits.Gossip.TopicBytes;
        int bytes = Encoding.UTF8.GetByteCount(topic);
        return bytes > 0 && bytes <= most ? topic : throw new CliException(
            "topic", $"The topic has {bytes} bytes.", string.Create(CultureInfo.InvariantCulture, $"A topic has 1 to {most} bytes of UTF-8."), ExitCode.Usage);
    }

    /// <summary>What is said while the verb runs.</summary>
    private sealed class Conversation : IDisposable
    {
        private readonly Gossipsub _gossip;
        private readonly string _topic;
        private readonly int? _most;
        private readonly Terminal _terminal;
        private readonly ConcurrentQueue<Heard> _heard = [];
        private readonly CancellationTokenSource _enough = new();
        private int _count;

        internal Conversation(Gossipsub gossip, string topic, int? most, Terminal terminal)
        {
            _gossip = gossip;
            _topic = topic;
            _most = most;
            _terminal = terminal;
            gossip.Blamed += (peer, fault) => terminal.Say($"at fault      {peer}: {fault}");
            gossip.Subscribe(topic, (message, _) => ValueTask.FromResult(Hear(message)));
        }

        public void Dispose()
        {
            _gossip.Unsubscribe(_topic);
            _enough.Dispose();
        }

        /// <summary>Says something to whoever listens; what has not left by then leaves when gossip ends.</summary>
        internal async Task<int> PublishAsync(string text, TimeSpan timeout, CancellationToken stopping)
        {
            byte[] data = Encoding.UTF8.GetBytes(text);
            using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            deadline.CancelAfter(timeout);
            try
            {
                while (_gossip.PeersOf(_topic).Count == 0)
                {
                    await Task.Delay(20, deadline.Token);
                }

                return await _gossip.PublishAsync(_topic, data, deadline.Token);
            }
            catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
            {
                throw new CliException(
                    "nobody-listens", $"No connected peer took part in the topic '{_topic}' within {timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.",
                    "Name peers that subscribe to it, or wait longer with --timeout-seconds; what a peer speaks: tapestry peer identify", ExitCode.Unreachable);
            }
            catch (ArgumentException tooLong)
            {
                throw new CliException("text", tooLong.Message, "Say less: what is larger goes on streams.", ExitCode.Usage, tooLong);
            }
        }

        /// <summary>Waits for the end that the command line names, or for enough messages.</summary>
        internal async Task EndAsync(Func<CancellationToken, Task> endAsync, CancellationToken stopping)
        {
            using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(stopping, _enough.Token);
            await endAsync(either.Token);
        }

        internal VerbResult Result(Libp2pHost host, int? publishedTo)
        {
            List<string> peers = [.. _gossip.PeersOf(_topic).Select(peer => peer.ToString())];
            Gossiped result = new(
                host.PeerId.ToString(), [.. host.ListenAddresses.Select(address => address.ToString())], _topic, peers, publishedTo, _count, [.. _heard]);
            string published = publishedTo is int reached ? string.Create(CultureInfo.InvariantCulture, $"published to {reached} peers, ") : "";
            return VerbResult.Line(result, string.Create(CultureInfo.InvariantCulture, $"{published}heard {_count} messages of {peers.Count} peers"));
        }

        private GossipVerdict Hear(GossipMessage message)
        {
            string? text = Utf8.IsValid(message.Data.Span) ? Encoding.UTF8.GetString(message.Data.Span) : null;
            int count = Interlocked.Increment(ref _count);
            if (count <= MessagesKept)
            {
                _heard.Enqueue(new Heard(message.Author.ToString(), message.Data.Length, text, Convert.ToBase64String(message.Data.Span)));
            }

            // A peer's words must not steer the terminal.
            string shown = text is not null && !text.Any(char.IsControl) ? text : $"{message.Data.Length} bytes";
            _terminal.Say($"heard         {message.Author}: {shown}");
            if (count >= _most)
            {
                _enough.Cancel();
            }

            return GossipVerdict.Accept;
        }
    }

    private sealed record Heard(string From, int Bytes, string? Text, string Base64);

    private sealed record Gossiped(
        string PeerId, IReadOnlyList<string> Addresses, string Topic, IReadOnlyList<string> Peers, int? PublishedTo, int Count,
        IReadOnlyList<Heard> Messages);
}
