using Tapestry.Protocol.Messages;
using Tapestry.Protocol.Partners;

namespace Tapestry.Protocol.Tests;

/// <summary>What effects say, by whichever way.</summary>
internal static class EffectMessages
{
    internal static IEnumerable<PeerMessage> MessagesOf(this IEnumerable<Effect> effects) => effects.Select(MessageOf).OfType<PeerMessage>();

    private static PeerMessage? MessageOf(Effect effect) => effect switch
    {
        Effect.Send send => send.Message,
        Effect.Publish publish => publish.Message,
        _ => null,
    };
}
