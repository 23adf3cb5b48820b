using System.Net;
using Tapestry.Libp2p.Wire;

namespace Tapestry.Libp2p;

/// <summary>Dials others back, to tell them whether they can be dialled.</summary>
/// <remarks>
/// libp2p/specs, autonat/autonat-v1.md. Dials nothing but the IP address that the request came from, so nobody can turn us
/// on a third. A dial ends when the peer has proved who it is: it never becomes a connection on either side.
/// </remarks>
internal sealed class AutonatServer
{
    private readonly Libp2pHost _host;
    private readonly AutonatOptions _options;
    private readonly PeerRate _dials;

    internal AutonatServer(Libp2pHost host, AutonatOptions options)
    {
        _host = host;
        _options = options;
        _dials = new PeerRate(Limits.DialsPerMinutePerPeer, Limits.DialsPerMinute, host.Options.Time);
        host.Handle(Autonat.Id, AnswerAsync);
    }

    private AutonatLimits Limits => _host.Options.Limits.Autonat;

    /// <summary>The addresses of a request that may be dialled.</summary>
    /// <param name="asked">What the request names.</param>
    /// <param name="observed">The IP address that it came from.</param>
    /// <param name="dialsPrivate">Whether addresses that are not public are dialled.</param>
    internal static IEnumerable<Multiaddr> Dialable(IEnumerable<Multiaddr> asked, IPAddress observed, bool dialsPrivate) =>
        asked.Where(address => address.TryGetTcp(out MultiaddrPart host, out ushort port)
                && port != 0
                && IPAddress.TryParse(host.Value, out IPAddress? ip)
                && ip.Equals(observed)
                && (dialsPrivate || PublicAddress.Is(ip)))
            .Distinct();

    private async Task AnswerAsync(Libp2pStream stream, PeerConnection connection, CancellationToken ended)
    {
        AutonatMessage.Response response;
        using (Deadline deadline = new(_host.Options.NegotiationDeadline, _host.Options.Time, ended))
        {
            byte[]? bytes = await LengthPrefix.ReadAsync(stream.Input, AutonatMessage.MaximumLength, deadline.Token);
            if (bytes is null)
            {
                stream.Reset();
                return;
            }

            response = AutonatMessage.TryRead(bytes, out AutonatMessage? message) && message is AutonatMessage.Dial dial
                ? Refusal(dial, connection, out List<Multiaddr> addresses) ?? await DialAsync(connection.Remote, addresses, ended)
                : new AutonatMessage.Response(AutonatStatus.BadRequest, "not a request to be dialled", null);
        }

        using Deadline last = new(_host.Options.NegotiationDeadline, _host.Options.Time, ended);
        await LengthPrefix.WriteAsync(stream.Output, response.ToArray(), last.Token);
        await stream.CompleteWriteAsync(last.Token);
        await StreamEnd.WaitAsync(stream.Input, last.Token);
    }

    private AutonatMessage.Response? Refusal(AutonatMessage.Dial dial, PeerConnection connection, out List<Multiaddr> addresses)
    {
        addresses = [];
        if (dial.Peer is not null && dial.Peer != connection.Remote)
        {
            return new AutonatMessage.Response(AutonatStatus.BadRequest, "the request is about another peer", null);
        }

        // Through a relay, we do not see where the peer is.
        if (connection.RemoteIp is not IPAddress observed)
        {
            return new AutonatMessage.Response(AutonatStatus.DialRefused, "the request came through a relay", null);
        }

        addresses = [.. Dialable(dial.Addresses.Select(address => address.WithoutPeer()), observed, _options.DialsPrivateAddresses).Take(Limits.AddressesPerRequest)];
        if (addresses.Count == 0)
        {
            return new AutonatMessage.Response(AutonatStatus.DialRefused, "no address that we dial for others: public, and the one that you come from", null);
        }

        return _dials.TryTake(connection.Remote)
            ? null
            : new AutonatMessage.Response(AutonatStatus.DialRefused, "too many requests", null);
    }

    private async Task<AutonatMessage.Response> DialAsync(PeerId peer, List<Multiaddr> addresses, CancellationToken ended)
    {
        using Deadline deadline = new(Limits.DialDeadline, _host.Options.Time, ended);
        foreach (Multiaddr address in addresses)
        {
            try
            {
                await _host.ProveAsync(address.WithPeer(peer), deadline.Token);
                return new AutonatMessage.Response(AutonatStatus.Ok, "", address);
            }
            catch (Libp2pException)
            {
                // Not there; the next may be.
            }
            catch (OperationCanceledException) when (deadline.Passed)
            {
                break;
            }
        }

        return new AutonatMessage.Response(AutonatStatus.DialError, "no address was reached", null);
    }
}
