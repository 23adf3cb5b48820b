using System.Diagnostics.CodeAnalysis;

namespace Tapestry.Libp2p;

/// <summary>A way to encrypt a connection and to prove who is at its ends. There are two: <see cref="Noise"/> and <see cref="Tls"/>.</summary>
public sealed record SecurityProtocol
{
    private SecurityProtocol(string name, string id) => (Name, Id) = (name, id);

    /// <summary>Noise XX: <c>/noise</c>.</summary>
    public static SecurityProtocol Noise { get; } = new("noise", "/noise");

    /// <summary>TLS 1.3: <c>/tls/1.0.0</c>.</summary>
    public static SecurityProtocol Tls { get; } = new("tls", "/tls/1.0.0");

    /// <summary>The word for people: <c>noise</c> or <c>tls</c>.</summary>
    public string Name { get; }

    /// <summary>The protocol id by which multistream-select agrees on it.</summary>
    public string Id { get; }

    /// <summary>The protocol of that name or id.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out SecurityProtocol? protocol)
    {
        protocol = text == Noise.Name || text == Noise.Id ? Noise : text == Tls.Name || text == Tls.Id ? Tls : null;
        return protocol is not null;
    }

    /// <summary>The id.</summary>
    public override string ToString() => Id;
}
