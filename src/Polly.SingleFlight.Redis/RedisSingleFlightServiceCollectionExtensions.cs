using Polly.SingleFlight.Redis;
using StackExchange.Redis;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Registers what pipelines need for single flight across machines.
/// </summary>
public static class RedisSingleFlightServiceCollectionExtensions
{
    /// <summary>
    /// Registers a <see cref="RedisSingleFlightGroup"/> as a singleton, over the <see cref="IConnectionMultiplexer"/> of the services.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="scope">The name that the nodes have in common and others do not, such as that of the service.</param>
    /// <param name="secret">A secret of at least 16 bytes that the nodes have in common. By default there is none.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="scope"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="scope"/> is empty, or <paramref name="secret"/> has less than 16 bytes.</exception>
    /// <remarks>The group is also registered under the key <paramref name="scope"/>, for services that use several. Of groups without a key the last registered is used.</remarks>
    public static IServiceCollection AddRedisSingleFlight(this IServiceCollection services, string scope, ReadOnlySpan<byte> secret = default)
    {
        ArgumentNullException.ThrowIfNull(services);
        RedisSingleFlightGroup.Check(scope, secret);
        var own = secret.ToArray();
        services.AddKeyedSingleton(scope, (provider, _) => new RedisSingleFlightGroup(provider.GetRequiredService<IConnectionMultiplexer>(), scope, own));
        return services.AddSingleton(provider => provider.GetRequiredKeyedService<RedisSingleFlightGroup>(scope));
    }
}
