using Tapestry.Crypto;

namespace Tapestry.Protocol.Messages;

/// <summary>A statement with its place, author and signature; whether the signature holds is not said here.</summary>
/// <param name="Instance">Where it belongs.</param>
/// <param name="Author">Who says it.</param>
/// <param name="Statement">What is said.</param>
/// <param name="Signature">Ed25519 over the signing bytes (specs/10-wire.md, section 2).</param>
/// <remarks>
/// A value of this type that came from a peer must have passed <see cref="PeerMessage"/>'s verification before the rules see it.
/// </remarks>
public sealed partial record SignedStatement(Instance Instance, MemberId Author, Statement Statement, Signature Signature);
