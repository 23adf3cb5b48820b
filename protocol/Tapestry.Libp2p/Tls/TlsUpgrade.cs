using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Tapestry.Libp2p.Tls;

/// <summary>Runs the TLS 1.3 handshake over a stream, and proves identities both ways.</summary>
/// <remarks>libp2p/specs, tls/tls.md.</remarks>
internal static class TlsUpgrade
{
    /// <summary>Turns a raw connection into a channel.</summary>
    /// <param name="raw">The stream below, and what was read from it beyond earlier negotiation.</param>
    /// <param name="ours">Who we are.</param>
    /// <param name="isDialer">Whether we dialled, and so speak first.</param>
    /// <param name="expected">The only peer that will do; null when anyone may call.</param>
    /// <param name="muxers">The muxers that we speak, the preferred first.</param>
    /// <param name="cancelled">Ends the handshake; the stream is then closed.</param>
    /// <exception cref="Libp2pException">Any fault of the remote, by name.</exception>
    internal static async Task<TlsChannel> RunAsync(
        RawConnection raw, TlsIdentity ours, bool isDialer, PeerId? expected, IReadOnlyList<string> muxers, CancellationToken cancelled)
    {
        Proof proof = new(isDialer, expected, ours.Time);
        TlsTransport transport = new(raw.Stream, raw.TakeReceived());
        SslStream tls = new(transport, leaveInnerStreamOpen: false);
        try
        {
            await (isDialer
                ? tls.AuthenticateAsClientAsync(ours.ClientOptions(muxers, proof.Check), cancelled)
                : tls.AuthenticateAsServerAsync(ours.ServerOptions(muxers, proof.Check), cancelled));
            if (proof.Peer is null)
            {
                throw new Libp2pException(Libp2pFault.TlsCertificateCount, "The remote showed no certificate.");
            }

            transport.SendTogether();
            return new TlsChannel(tls, proof.Peer, MuxerOf(tls.NegotiatedApplicationProtocol, muxers));
        }
        catch (Exception cause)
        {
            await tls.DisposeAsync();
            if (cause is AuthenticationException or InvalidOperationException)
            {
                throw proof.Failure ?? new Libp2pException(Libp2pFault.TlsHandshake, "The TLS handshake failed: " + cause.Message, cause);
            }

            throw;
        }
    }

    private static string? MuxerOf(SslApplicationProtocol agreed, IReadOnlyList<string> muxers) =>
        muxers.FirstOrDefault(muxer => agreed == new SslApplicationProtocol(muxer));

    /// <summary>What the handshake's certificate proves.</summary>
    private sealed class Proof(bool isDialer, PeerId? expected, TimeProvider time)
    {
        internal PeerId? Peer { get; private set; }

        internal Libp2pException? Failure { get; private set; }

        internal bool Check(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
        {
            // What came along with the remote's certificate; OpenSSL counts that one too on the side that dialled.
            int others = (chain?.ChainPolicy.ExtraStore.Count ?? 0) - (isDialer ? 1 : 0);
            Libp2pFault fault = certificate is null || others > 0
                ? Libp2pFault.TlsCertificateCount
                : TlsCertificate.Verify(certificate.GetRawCertData(), time.GetUtcNow(), out PeerId? peer) is var verified && verified != Libp2pFault.None
                    ? verified
                    : Expect(peer!);
            if (fault != Libp2pFault.None && Failure is null)
            {
                Failure = new Libp2pException(fault, $"The remote did not prove its identity: {fault}.");
            }

            return fault == Libp2pFault.None;
        }

        private Libp2pFault Expect(PeerId peer)
        {
            if (expected is null || peer == expected)
            {
                Peer = peer;
                return Libp2pFault.None;
            }

            Failure = new Libp2pException(
                Libp2pFault.WrongPeer, $"The remote is {peer}, not {expected}: the address is out of date, or someone else answers there.");
            return Libp2pFault.WrongPeer;
        }
    }
}
