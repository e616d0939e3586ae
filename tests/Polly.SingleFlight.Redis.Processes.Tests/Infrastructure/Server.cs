namespace Polly.SingleFlight.Redis.Processes.Tests.Infrastructure;

/// <summary>The server of all tests of the assembly: Garnet, or <c>redis-server</c> where the environment variable <c>SINGLE_FLIGHT_REDIS</c> says that tests run on that.</summary>
public sealed class Server : IAsyncLifetime
{
    private ServerProcess? _process;

    /// <summary>Whether it is Redis, and not Garnet.</summary>
    public static bool IsRedis => Environment.GetEnvironmentVariable("SINGLE_FLIGHT_REDIS") is { Length: > 0 };

    public string Address => _process!.Address;

    public async ValueTask InitializeAsync() => _process = await ServerProcess.StartAsync(IsRedis);

    public ValueTask DisposeAsync()
    {
        _process?.Dispose();
        return default;
    }
}
