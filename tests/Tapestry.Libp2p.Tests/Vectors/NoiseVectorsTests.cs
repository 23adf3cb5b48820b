using System.Text.Json;
using FluentAssertions;
using Tapestry.Crypto;
using Tapestry.Libp2p.Noise;
using Tapestry.Testing;

namespace Tapestry.Libp2p.Tests.Vectors;

/// <summary>Whole sessions as two other implementations recorded them: every message in both directions, both roles.</summary>
public sealed class NoiseVectorsTests
{
    [VectorsTheory]
    [Xunit.InlineData("snow.json")]
    [Xunit.InlineData("cacophony.json")]
    public void Transcripts_are_reproduced_to_the_byte(string file)
    {
        string path = Path.Combine(Repository.Vectors!, "noise", file);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        JsonElement[] vectors = [.. document.RootElement.GetProperty("vectors").EnumerateArray()];

        vectors.Should().NotBeEmpty();
        foreach (JsonElement vector in vectors)
        {
            Replay(vector);
        }
    }

    private static void Replay(JsonElement vector)
    {
        using X25519Key initiatorKey = Key(vector, "init_static");
        using X25519Key responderKey = Key(vector, "resp_static");
        using NoiseHandshake initiator = new(true, Bytes(vector, "init_prologue"), initiatorKey, Key(vector, "init_ephemeral"));
        using NoiseHandshake responder = new(false, Bytes(vector, "resp_prologue"), responderKey, Key(vector, "resp_ephemeral"));
        (NoiseCipher Send, NoiseCipher Receive)? ofInitiator = null;
        (NoiseCipher Send, NoiseCipher Receive)? ofResponder = null;
        bool initiatorsTurn = true;
        foreach (JsonElement message in vector.GetProperty("messages").EnumerateArray())
        {
            byte[] payload = Bytes(message, "payload");
            byte[] expected = Bytes(message, "ciphertext");
            if (!initiator.IsComplete)
            {
                Handshake(initiatorsTurn ? initiator : responder, initiatorsTurn ? responder : initiator, payload, expected);
            }
            else
            {
                ofInitiator ??= initiator.Split();
                ofResponder ??= responder.Split();
                Transport(
                    initiatorsTurn ? ofInitiator.Value.Send : ofResponder.Value.Send,
                    initiatorsTurn ? ofResponder.Value.Receive : ofInitiator.Value.Receive,
                    payload,
                    expected);
            }

            initiatorsTurn = !initiatorsTurn;
        }

        initiator.RemoteStaticKey.ToArray().Should().Equal(responderKey.PublicKey.ToArray());
        responder.RemoteStaticKey.ToArray().Should().Equal(initiatorKey.PublicKey.ToArray());
        initiator.Hash.ToArray().Should().Equal(responder.Hash.ToArray());
        if (vector.TryGetProperty("handshake_hash", out JsonElement hash))
        {
            Convert.ToHexStringLower(initiator.Hash).Should().Be(hash.GetString());
        }
    }

    private static void Handshake(NoiseHandshake writer, NoiseHandshake reader, byte[] payload, byte[] expected)
    {
        byte[] message = new byte[NoiseHandshake.LengthBound(payload.Length)];
        writer.WriteMessage(payload, message, out int length).Should().Be(Libp2pFault.None);
        message[..length].Should().Equal(expected);

        byte[] read = new byte[length];
        reader.ReadMessage(message.AsSpan(0, length), read, out int payloadLength).Should().Be(Libp2pFault.None);
        read[..payloadLength].Should().Equal(payload);
    }

    private static void Transport(NoiseCipher sender, NoiseCipher receiver, byte[] payload, byte[] expected)
    {
        byte[] sealedText = new byte[payload.Length + NoiseCipher.TagLength];
        sender.Encrypt(default, payload, sealedText);
        sealedText.Should().Equal(expected);

        byte[] opened = new byte[payload.Length];
        receiver.TryDecrypt(default, sealedText, opened).Should().BeTrue();
        opened.Should().Equal(payload);
    }

    private static byte[] Bytes(JsonElement element, string name) => Convert.FromHexString(element.GetProperty(name).GetString()!);

    private static X25519Key Key(JsonElement vector, string name) => X25519Key.FromSecret(Bytes(vector, name));
}
