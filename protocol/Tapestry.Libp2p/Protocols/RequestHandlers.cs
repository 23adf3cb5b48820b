namespace Tapestry.Libp2p;

/// <summary>Answers one request with one response.</summary>
/// <param name="from">Who asks.</param>
/// <param name="request">What it asks; the handler's to keep.</param>
/// <param name="ended">Cancelled when nobody waits for the answer any more.</param>
/// <returns>The response; null refuses, which the requester sees as <see cref="Libp2pFault.StreamReset"/>.</returns>
public delegate ValueTask<ReadOnlyMemory<byte>?> RequestHandler(PeerId from, ReadOnlyMemory<byte> request, CancellationToken ended);

/// <summary>Answers one request with a sequence of frames.</summary>
/// <param name="from">Who asks.</param>
/// <param name="request">What it asks; the handler's to keep.</param>
/// <param name="response">Where the frames go.</param>
/// <param name="ended">Cancelled when nobody waits for the answer any more.</param>
/// <returns>Whether the response is complete; false breaks it off, which the requester sees as <see cref="Libp2pFault.StreamReset"/>.</returns>
public delegate ValueTask<bool> FramesHandler(PeerId from, ReadOnlyMemory<byte> request, ResponseFrames response, CancellationToken ended);
