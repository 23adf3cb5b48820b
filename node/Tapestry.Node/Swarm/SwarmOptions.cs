namespace Tapestry.Node.Swarm;

/// <summary>What a machine decides about the blobs that it moves.</summary>
/// <param name="UploadBytesPerSecond">The most that is sent a second, to all peers together; 0 for no limit.</param>
/// <param name="DownloadBytesPerSecond">The most that is asked for a second, of all peers together; 0 for no limit.</param>
/// <param name="Limits">Bounds and paces.</param>
/// <param name="Time">The clock.</param>
internal sealed record SwarmOptions(long UploadBytesPerSecond, long DownloadBytesPerSecond, SwarmLimits Limits, TimeProvider Time);
