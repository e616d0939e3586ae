namespace TwoNodes;

/// <summary>What a node is started with.</summary>
/// <param name="Name">The name that it shows to the endpoint.</param>
/// <param name="Endpoint">The token endpoint.</param>
/// <param name="Server">The Redis server, as <c>host:port</c>.</param>
internal sealed record NodeArguments(string Name, Uri Endpoint, string Server)
{
    /// <summary>The first argument of a process that is a node.</summary>
    private const string Mark = "--node";

    public string[] ToCommandLine() => [Mark, Name, Endpoint.ToString(), Server];

    /// <summary>Reads a command line; null if it is not a node's.</summary>
    public static NodeArguments? Parse(string[] args) =>
        args is [Mark, var name, var endpoint, var server] ? new NodeArguments(name, new Uri(endpoint), server) : null;
}
