using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tapestry.Cli;
using Tapestry.Node.Configuration;

namespace Tapestry.Node.Daemon;

/// <summary>The local HTTP API: read-only, loopback unless the settings say otherwise.</summary>
/// <param name="endpoint">Where it listens.</param>
/// <param name="board">What it shows.</param>
/// <param name="folder">Where the signed checkpoint lies.</param>
/// <param name="logger">Where it says where it listens.</param>
internal sealed class StatusServer(HttpEndpoint endpoint, StatusBoard board, DataFolder folder, ILogger<StatusServer> logger) : IHostedService, IAsyncDisposable
{
    private const string PageName = "Tapestry.Node.Daemon.StatusPage.html";

    private WebApplication? _application;

    /// <summary>Where it listens, once started; port 0 is replaced by the port taken.</summary>
    public string? Address { get; private set; }

    /// <summary>Binds the port.</summary>
    /// <exception cref="CliException">The port is in use or may not be bound.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (endpoint.Address is not IPEndPoint address)
        {
            return;
        }

        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Listen(address);
        });
        builder.Services.Add(new(typeof(IHostLifetime), new NoLifetime()));
        _application = builder.Build();
        Map(_application);
        try
        {
            await _application.StartAsync(cancellationToken);
        }
        catch (IOException error) when (error.InnerException is AddressInUseException)
        {
            throw new CliException(
                "port-in-use", $"The HTTP address {address} is in use.",
                "Stop the other daemon, or set http:listen to another port, 127.0.0.1:0 for any, or off.", ExitCode.Unreachable, error);
        }

        Address = _application.Urls.First();
        DaemonLog.HttpListens(logger, Address);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => _application?.StopAsync(cancellationToken) ?? Task.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _application?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Map(WebApplication application)
    {
        application.MapGet("/", () => Results.Stream(typeof(StatusServer).Assembly.GetManifestResourceStream(PageName)!, "text/html; charset=utf-8"));
        application.MapGet("/status", () => Results.Json(board.Report(), Envelope.Format));
        application.MapGet("/rounds", () => Results.Json(board.Rounds, Envelope.Format));
        application.MapGet("/ledger/checkpoint", () => File.Exists(folder.Checkpoint)
            ? Results.Text(File.ReadAllText(folder.Checkpoint), "text/plain; charset=utf-8")
            : Results.NotFound());
    }

    /// <summary>The daemon's own host listens to signals; this inner one must not.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

/// <summary>Where the HTTP API listens.</summary>
/// <param name="Address">Null for nowhere.</param>
internal sealed record HttpEndpoint(IPEndPoint? Address);
