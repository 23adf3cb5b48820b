using System.Text.Json;
using System.Text.Json.Nodes;
using Tapestry.Libp2p.Peer;

// Our peer in a process of its own, driven by the same lines as tests/foreign/js/peer.mjs: for tests in which hosts must not
// share a machine. Switches: --listen ADDRESS…, --relay ADDRESS… (reserve there while nobody can dial us), --serve (relay and
// dial back for others). The commands are the cases of DrivenPeer.DoAsync.
Dictionary<string, List<string>> switches = [];
string name = "";
foreach (string argument in args)
{
    if (argument.StartsWith("--", StringComparison.Ordinal))
    {
        name = argument;
        switches[name] = [];
    }
    else
    {
        switches[name].Add(argument);
    }
}

await using DrivenPeer peer = new(
    switches.GetValueOrDefault("--listen") ?? [], switches.GetValueOrDefault("--relay") ?? [], switches.ContainsKey("--serve"));
Print(new { @event = "ready", peerId = peer.PeerId, addresses = peer.Addresses });
while (await Console.In.ReadLineAsync() is string line)
{
    JsonNode message = JsonNode.Parse(line)!;
    _ = AnswerAsync(message);
}

async Task AnswerAsync(JsonNode message)
{
    int id = (int)message["id"]!;
    try
    {
        Print(new { id, result = await peer.DoAsync(message) });
    }
    catch (Exception error) when (error is IOException or ArgumentException or OperationCanceledException)
    {
        Print(new { id, error = $"{(error as Tapestry.Libp2p.Libp2pException)?.Fault}: {error.Message}" });
    }
}

// One line whole, whoever else prints.
static void Print(object message) => Console.WriteLine(JsonSerializer.Serialize(message));
