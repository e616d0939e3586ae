namespace Polly.SingleFlight.Redis.Nodes;

/// <summary>What a node is started with.</summary>
/// <param name="Name">Its name, which its results begin with after the key.</param>
/// <param name="Server">The server, as <c>host:port</c>.</param>
/// <param name="Scope">The scope that the nodes have in common.</param>
/// <param name="Lease">The lease.</param>
public sealed record NodeSettings(string Name, string Server, string Scope, TimeSpan Lease)
{
    /// <summary>Gets how long a command may take. Long, so that Redis is not taken for hanging when the machine is slow.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(20);
}
