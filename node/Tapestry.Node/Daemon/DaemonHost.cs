using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Tapestry.Cli;
using Tapestry.Libp2p;
using Tapestry.Libp2p.Gossip;
using Tapestry.Node.Configuration;
using Tapestry.Node.Ledger;
using Tapestry.Node.Network;
using Tapestry.Node.Rounds;
using Tapestry.Node.Storage;
using Tapestry.Node.Storage.Blobs;
using Tapestry.Node.Swarm;
using Tapestry.Protocol;
using Tapestry.Protocol.Partners;
using Tapestry.Protocol.Plans;

namespace Tapestry.Node.Daemon;

/// <summary>Puts one member's daemon together from its folder, and runs it until it is asked to stop or cannot go on.</summary>
/// <remarks>
/// Crash-only: nothing is done at the end that the next start relies on. Services start in the order of registration
/// (HTTP, trainer, network, loop) and stop in the reverse order.
/// </remarks>
internal static class DaemonHost
{
    /// <summary>Runs a daemon.</summary>
    /// <param name="folder">The member's data folder.</param>
    /// <param name="options">This machine's settings.</param>
    /// <param name="stopping">Asks it to stop.</param>
    /// <exception cref="CliException">It cannot start, or could not go on.</exception>
    public static async Task RunAsync(DataFolder folder, NodeOptions options, CancellationToken stopping)
    {
        folder.RequireInitialised();
        using FileStream folderLock = folder.TakeLock();
        using KeyFile keys = KeyFile.Read(folder.Keys);
        Genesis genesis = LedgerFolder.ReadGenesis(folder.Genesis);
        Member self = FindSelf(genesis, keys);
        using RecordStore records = RecordStore.Open(folder.Records);
        PeerList peers = PeerList.Read(options.PeersPath, isNeeded: !PeerRecordTable.HasOthers(records, PeerId.From(self.PeerKey)));
        LedgerGenesis.Require(records, genesis, folder.Records);
        using BlobStore blobs = BlobStore.Open(folder.Blobs, genesis.Plan.Exchange.ChunkBytes);
        Partner partner = Restore(genesis, keys, records);
        CheckLedger(folder, records, partner);
        new BaseFiles(blobs, new RootLists(folder.Lists), genesis).WriteInitial();

        IHost host = Build(folder, options, genesis, self, keys, peers, records, blobs, partner);
        await using IAsyncDisposable services = (IAsyncDisposable)host;
        DaemonEnd end = host.Services.GetRequiredService<DaemonEnd>();
        try
        {
            await host.StartAsync(stopping);
            await host.WaitForShutdownAsync(stopping);
        }
        finally
        {
            await host.StopAsync(CancellationToken.None);
            await host.Services.GetRequiredService<EffectTasks>().StopAsync();
        }

        if (end.Error is Exception error)
        {
            throw error as CliException ?? new CliException(
                "daemon-failed", $"The daemon could not go on: {error.Message}", "See its log; what was synced is intact, start it again.",
                ExitCode.Failed, error);
        }
    }

    private static IHost Build(
        DataFolder folder, NodeOptions options, Genesis genesis, Member self, KeyFile keys,
        PeerList peers, RecordStore records, BlobStore blobs, Partner partner)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        AddLogging(builder);
        IServiceCollection services = builder.Services;
        services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(10));
        services.AddSingleton<IHostLifetime, NoSignals>();

        // What was opened or read before the host: disposed by whoever opened it.
        services.AddSingleton(folder).AddSingleton(options).AddSingleton(genesis).AddSingleton(self).AddSingleton(peers);
        services.AddSingleton(MachineSettings.Of(options));
        AddInstance<IRecordReader>(services, records);
        AddInstance(services, records);
        AddInstance(services, blobs);
        AddInstance(services, partner);

        services.AddSingleton(new MonotonicClock(TimeProvider.System)).AddSingleton<Traffic>().AddSingleton<DaemonEnd>().AddSingleton<StatusBoard>();
        services.AddSingleton(new Neighbours(genesis, self.Id));
        services.AddSingleton(new RootLists(folder.Lists));
        services.AddSingleton(provider => Links(provider, options, genesis));
        services.AddSingleton(provider => Network(provider, options, keys, genesis.Members.Count));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<MemberRelay>(provider, options.Reach));
        services.AddSingleton<PeerExchange>().AddSingleton<Answers>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<Questions>(provider, options.RequestTimeout));
        services.AddSingleton(new SwarmOptions(
            options.UploadBytesPerSecond, options.DownloadBytesPerSecond, new SwarmLimits { Patience = options.RequestTimeout }, TimeProvider.System));
        services.AddSingleton<BlobSwarm>().AddSingleton<MemberBlobs>();
        services.AddSingleton(new CheckpointWriter(genesis, keys.Checkpoint, folder));
        services.AddSingleton<BaseFiles>().AddSingleton<SliceWorker>().AddSingleton<RoundTrainer>();
        services.AddSingleton(provider => new EffectTasks(
            provider.GetRequiredService<PartnerLoop>().PostAsync, provider.GetRequiredService<DaemonEnd>().Fail));
        services.AddSingleton(Timers);
        services.AddSingleton<EffectPerformer>().AddSingleton<PartnerLoop>().AddSingleton<NetworkService>();
        services.AddSingleton(provider => Gate(provider, genesis)).AddSingleton<MessageIntake>();
        services.AddSingleton<IGossipSequenceStore>(provider => new GossipCeiling(records, provider.GetRequiredService<LinkSettings>().Logger));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<StatusServer>(provider, new HttpEndpoint(options.Http)));

        services.AddHostedService(provider => provider.GetRequiredService<StatusServer>());
        services.AddHostedService<TrainerStart>();
        services.AddHostedService(provider => provider.GetRequiredService<NetworkService>());
        AddGossip(services, options);
        services.AddHostedService(provider => provider.GetRequiredService<PartnerLoop>());
        return Connect(builder.Build());
    }

    /// <summary>Ties the two knots that construction leaves open: what peers send reaches the loop, what the loop wants gets done.</summary>
    private static IHost Connect(IHost host)
    {
        IServiceProvider provider = host.Services;
        PartnerLoop loop = provider.GetRequiredService<PartnerLoop>();
        Libp2pHost network = provider.GetRequiredService<Libp2pHost>();
        MessageIntake intake = provider.GetRequiredService<MessageIntake>();
        network.Handle(TapestryProtocols.Message, (stream, _, ended) => intake.ServeAsync(stream, ended));
        provider.GetRequiredService<Answers>().Register(network);
        provider.GetRequiredService<BlobSwarm>().Register();
        provider.GetRequiredService<RootLists>().Register(network);
        loop.PerformWith(provider.GetRequiredService<EffectPerformer>());
        return host;
    }

    /// <summary>The loop is asked for here and not when a timer fires: one may still be on its way when the services are gone.</summary>
    private static TimerBoard Timers(IServiceProvider provider)
    {
        PartnerLoop loop = provider.GetRequiredService<PartnerLoop>();
        return new TimerBoard(
            provider.GetRequiredService<MonotonicClock>(), timer => _ = loop.PostAsync(new PartnerEvent.TimerFired(timer)).AsTask());
    }

    // Triage only reads: a stale answer costs one signature check, or a message that is asked for again.
    private static MessageGate Gate(IServiceProvider provider, Genesis genesis) => new(
        genesis.FormCommittee(), provider.GetRequiredService<Partner>().Triage, provider.GetRequiredService<PartnerLoop>().TryAccept,
        provider.GetRequiredService<LinkSettings>());

    private static LinkSettings Links(IServiceProvider provider, NodeOptions options, Genesis genesis) => new(
        Greeting.Of(genesis), options.QueueMessages, options.RequestTimeout, options.RedialPauseMax,
        provider.GetRequiredService<StatusBoard>(), provider.GetRequiredService<Traffic>(), TimeProvider.System,
        provider.GetRequiredService<ILoggerFactory>().CreateLogger("Tapestry.Network"));

    // One member may be the only way to all others, which may sit behind one address, and each wants every other, twice when both dial.
    private static RelayLimits RelayLimitsFor(int members) => new()
    {
        Reservations = members,
        ReservationsPerAddress = members,
        Circuits = members * members,
        CircuitsPerPeer = 2 * members,
        ConnectionsPerRelay = 2 * members,
    };

    private static Libp2pHost Network(IServiceProvider provider, NodeOptions options, KeyFile keys, int members)
    {
        Neighbours neighbours = provider.GetRequiredService<Neighbours>();
        LinkSettings links = provider.GetRequiredService<LinkSettings>();
        Libp2pHostOptions hostOptions = new()
        {
            ListenAddresses = [options.ListenAddress],
            AnnounceAddresses = options.AnnounceAddresses,
            AddressBook = NetworkService.AddressBookOptions(neighbours, provider.GetRequiredService<RecordStore>(), links),
            Admits = NetworkService.Admission(neighbours, links),

            // Only members are admitted, and a member is always worth a connection.
            Protects = static _ => true,
            Limits = new ResourceLimits { Relay = RelayLimitsFor(members) },
        };
        return new Libp2pHost(new Libp2pIdentity(keys.Peer), hostOptions);
    }

    private static void AddGossip(IServiceCollection services, NodeOptions options)
    {
        if (!options.Gossips)
        {
            services.AddSingleton<IPublisher, NoGossip>();
            return;
        }

        services.AddSingleton<GossipService>().AddSingleton<IPublisher>(provider => provider.GetRequiredService<GossipService>());
        services.AddHostedService(provider => provider.GetRequiredService<GossipService>());
    }

    private static void AddInstance<T>(IServiceCollection services, T instance)
        where T : class => services.AddSingleton(instance);

    private static void AddLogging(HostApplicationBuilder builder) => builder.Logging
        .SetMinimumLevel(LogLevel.Information)
        .AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss.fff ";
            console.ColorBehavior = LoggerColorBehavior.Disabled;
        })
        .Services.Configure<ConsoleLoggerOptions>(console => console.LogToStandardErrorThreshold = LogLevel.Trace);

    private static Member FindSelf(Genesis genesis, KeyFile keys)
    {
        MemberId id = new(keys.Member.PublicKey);
        Member self = genesis.Members.FirstOrDefault(member => member.Id == id) ?? throw new CliException(
            "not-a-member", $"The network '{genesis.NetworkName}' has no member {id}: the keys and the genesis do not belong together.",
            "Copy the genesis that was made with this member's card, or use that member's folder.", ExitCode.Configuration);
        return self.PeerKey == keys.Peer.PublicKey && self.CheckpointKey == keys.Checkpoint.PublicKey ? self : throw new CliException(
            "not-a-member", $"The genesis names another peer or checkpoint key for {self.Name}.",
            "Use the key file whose card was given to the network's creator.", ExitCode.Configuration);
    }

    private static Partner Restore(Genesis genesis, KeyFile keys, RecordStore records)
    {
        try
        {
            return Partner.Restore(genesis, keys.Member, records);
        }
        catch (LedgerCorruptException error)
        {
            throw new CliException(
                "ledger-corrupt", $"The records contradict themselves: {error.Message}",
                "Keep a copy of the folder, then start anew in an empty one with the same keys.", ExitCode.VerificationFailed, error);
        }
    }

    /// <summary>The root is recomputed at every start: a disk that lies is found before anything is signed over it.</summary>
    private static void CheckLedger(DataFolder folder, RecordStore records, Partner partner)
    {
        PartnerStatus status = partner.Status;
        if (records.LastKey(Table.Entries) is null)
        {
            return;
        }

        LedgerCheck check = LedgerCheck.Verify(records, status.TreeSize, status.TreeRoot);
        if (!check.Holds)
        {
            throw StorageErrors.Damaged(folder.Records, $"the ledger does not give its root ({check.Fault} at {check.At}).");
        }
    }

    /// <summary>The command line handles signals for every verb.</summary>
    private sealed class NoSignals : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
