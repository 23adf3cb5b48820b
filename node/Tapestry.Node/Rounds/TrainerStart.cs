using Microsoft.Extensions.Hosting;

namespace Tapestry.Node.Rounds;

/// <summary>Opens the member's text and loads libtorch before the first dial: what is wrong with them shows at once, and no round waits for it.</summary>
/// <param name="trainer">The trainer.</param>
internal sealed class TrainerStart(RoundTrainer trainer) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) =>
        Task.Factory.StartNew(trainer.Open, cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
