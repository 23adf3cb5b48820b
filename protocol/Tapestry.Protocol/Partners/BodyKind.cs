namespace Tapestry.Protocol.Partners;

/// <summary>What a body is; the digest that names it is formed accordingly.</summary>
public enum BodyKind : byte
{
    /// <summary>A proposed or decided value, named by the digest of its bytes.</summary>
    Value = 1,

    /// <summary>A signed manifest, named by the digest of what it signs: the bytes hold the signature too.</summary>
    Manifest = 2,
}
