using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using FluentAssertions;
using Tapestry.Libp2p.Tls;
using Tapestry.Libp2p.Yamux;
using Xunit;

namespace Tapestry.Libp2p.Tests.Scenarios;

/// <summary>Peers that speak TLS but not as libp2p does: each is refused by name, and nobody else notices.</summary>
public sealed class HostileTlsTests : IAsyncDisposable
{
    private static readonly List<SslApplicationProtocol> Libp2pOnly = [new("libp2p")];

    private readonly Libp2pHost _alice = Hosts.Start(1);
    private readonly TaskCompletionSource<Libp2pException> _refused = new();
    private readonly Libp2pIdentity _identity = Hosts.Identity(2);

    public HostileTlsTests() => _alice.InboundRefused += (_, refusal) => _refused.TrySetResult(refusal);

    public async ValueTask DisposeAsync()
    {
        await _alice.DisposeAsync();
        _identity.Dispose();
    }

    [Fact]
    public async Task No_certificate() => await CallAsync(options => options, Libp2pFault.TlsCertificateCount);

    [OpenSslFact]
    public async Task More_than_one_certificate_of_a_caller()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        using TwoCertificates two = await TwoCertificates.MakeAsync();
        using Process calling = OpenSslFactAttribute.Start(["s_client", "-connect", listener.LocalEndpoint.ToString()!, "-quiet", .. two.Switches]);
        try
        {
            await using RawConnection raw = new(TcpTransport.StreamOf(await listener.AcceptSocketAsync(Hosts.Patience)));

            await IsRefusedAsync(raw, isDialer: false);
            await OpenSslFactAttribute.EndAsync(calling);
        }
        finally
        {
            calling.Kill();
        }
    }

    [OpenSslFact]
    public async Task More_than_one_certificate_of_a_listener()
    {
        using TwoCertificates two = await TwoCertificates.MakeAsync();
        using Process listening = OpenSslFactAttribute.Start(["s_server", "-accept", "127.0.0.1:0", "-naccept", "1", .. two.Switches]);
        try
        {
            string line = "";
            while (!line.StartsWith("ACCEPT ", StringComparison.Ordinal))
            {
                line = await listening.StandardOutput.ReadLineAsync(Hosts.Patience) ?? throw new IOException("openssl does not listen.");
            }

            using TcpClient caller = new();
            await caller.ConnectAsync(IPEndPoint.Parse(line["ACCEPT ".Length..]), Hosts.Patience);
            await using RawConnection raw = new(TcpTransport.StreamOf(caller.Client));

            await IsRefusedAsync(raw, isDialer: true);
            await OpenSslFactAttribute.EndAsync(listening);
        }
        finally
        {
            listening.Kill();
        }
    }

    [Fact]
    public async Task A_certificate_of_the_web()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=example.org", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        SslStreamCertificateContext chain = SslStreamCertificateContext.Create(certificate, null, offline: true);

        await CallAsync(options => With(options, chain), Libp2pFault.TlsExtension);
    }

    [Fact]
    public async Task An_older_version()
    {
        await CallAsync(
            options =>
            {
                options.EnabledSslProtocols = Enum.Parse<SslProtocols>("Tls12");
                return options;
            },
            Libp2pFault.TlsHandshake);
    }

    [Fact]
    public async Task No_common_application_protocol()
    {
        using TlsIdentity bob = new(_identity, TimeProvider.System);
        await CallAsync(
            _ =>
            {
                SslClientAuthenticationOptions options = bob.ClientOptions([], AcceptAny);
                options.ApplicationProtocols = [new("h2")];
                return options;
            },
            Libp2pFault.TlsHandshake);
    }

    [Fact]
    public async Task Bytes_that_are_no_TLS()
    {
        await using RawConnection raw = await ProposeTlsAsync();
        raw.TakeReceived();
        await raw.Stream.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), Hosts.Patience);

        (await _refused.Task.WaitAsync(Hosts.Patience)).Fault.Should().Be(Libp2pFault.TlsHandshake);
    }

    [Fact]
    public async Task A_peer_without_early_muxers_agrees_on_one_by_multistream_select()
    {
        using TlsIdentity bob = new(_identity, TimeProvider.System);
        await using RawConnection raw = await ProposeTlsAsync();
        await using TlsChannel channel = await TlsUpgrade.RunAsync(raw, bob, isDialer: true, _alice.PeerId, [], Hosts.Patience);

        channel.EarlyMuxer.Should().BeNull();
        await MultistreamSelect.ProposeAsync(channel, YamuxConnection.ProtocolId, Hosts.Patience);
        await using YamuxConnection muxed = YamuxConnection.Start(channel, channel.Remote, isDialler: true, new YamuxLimits(), TimeProvider.System);
        (await muxed.PingAsync(Hosts.Patience)).Should().BePositive();
        (await _alice.ConnectionToAsync(_identity.PeerId)).UsedEarlyMuxer.Should().BeFalse();
    }

    private static SslClientAuthenticationOptions With(SslClientAuthenticationOptions options, SslStreamCertificateContext chain)
    {
        options.ClientCertificateContext = chain;
        return options;
    }

    // The tests are about what the other side accepts.
    private static bool AcceptAny(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => certificate is not null;

    private async Task IsRefusedAsync(RawConnection raw, bool isDialer)
    {
        using TlsIdentity ours = new(_identity, TimeProvider.System);
        (await FluentActions.Awaiting(async () => await TlsUpgrade.RunAsync(raw, ours, isDialer, expected: null, [], Hosts.Patience))
            .Should().ThrowAsync<Libp2pException>()).Which.Fault.Should().Be(Libp2pFault.TlsCertificateCount);
    }

    private async Task CallAsync(Func<SslClientAuthenticationOptions, SslClientAuthenticationOptions> change, params Libp2pFault[] faults)
    {
        await using RawConnection raw = await ProposeTlsAsync();
        raw.TakeReceived();
        await using SslStream tls = new(raw.Stream, leaveInnerStreamOpen: true);
        try
        {
            await tls.AuthenticateAsClientAsync(
                change(new SslClientAuthenticationOptions
                {
                    TargetHost = "",
                    RemoteCertificateValidationCallback = AcceptAny,
                    ApplicationProtocols = Libp2pOnly,
                }),
                Hosts.Patience);
        }
        catch (Exception end) when (end is AuthenticationException or IOException)
        {
            // Of TLS 1.3, the dialler may also hear of it later, or never.
        }

        faults.Should().Contain((await _refused.Task.WaitAsync(Hosts.Patience)).Fault);
        _alice.Connections.Should().BeEmpty();
    }

    private async Task<RawConnection> ProposeTlsAsync()
    {
        RawConnection raw = new(TcpTransport.StreamOf(await TcpTransport.DialAsync(_alice.ListenAddresses[0].WithoutPeer(), Hosts.Patience)));
        await MultistreamSelect.ProposeAsync(raw, SecurityProtocol.Tls.Id, Hosts.Patience);
        return raw;
    }

    /// <summary>Files for <c>openssl</c>, which shows both: the base library sends no certificate that is not of a chain.</summary>
    private sealed class TwoCertificates : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tapestry-tls");

        private TwoCertificates()
        {
        }

        internal IEnumerable<string> Switches =>
            ["-tls1_3", "-alpn", "libp2p", "-cert", At("leaf.pem"), "-key", At("leaf.key"), "-cert_chain", At("extra.pem")];

        public void Dispose() => _folder.Delete(recursive: true);

        internal static async Task<TwoCertificates> MakeAsync()
        {
            TwoCertificates two = new();
            foreach (string name in new[] { "leaf", "extra" })
            {
                using Process making = OpenSslFactAttribute.Start(
                [
                    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", $"/CN={name}",
                    "-keyout", two.At(name + ".key"), "-out", two.At(name + ".pem"),
                ]);
                await OpenSslFactAttribute.EndAsync(making);
            }

            return two;
        }

        private string At(string file) => Path.Combine(_folder.FullName, file);
    }
}

/// <summary>A fact that needs the program <c>openssl</c>; skipped, by name, without it.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OpenSslFactAttribute : FactAttribute
{
    private const string Program = "/usr/bin/openssl";

    /// <summary>Skips where the program is absent.</summary>
    public OpenSslFactAttribute() => Skip = File.Exists(Program) ? null! : "no openssl: apt-get install openssl";

    internal static Process Start(IEnumerable<string> arguments) => Process.Start(new ProcessStartInfo(Program, arguments)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    internal static Task EndAsync(Process process) => Task.WhenAll(
        process.StandardOutput.ReadToEndAsync(Hosts.Patience), process.StandardError.ReadToEndAsync(Hosts.Patience), process.WaitForExitAsync(Hosts.Patience));
}
