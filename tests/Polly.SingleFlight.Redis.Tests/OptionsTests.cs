using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.DependencyInjection;

namespace Polly.SingleFlight.Redis.Tests;

/// <summary>Defaults, what is refused, and the registration.</summary>
public sealed class OptionsTests(RedisServer server) : DistributedTest(server)
{
    private static readonly TimeSpan s_infinite = System.Threading.Timeout.InfiniteTimeSpan;

    public static TheoryData<string, Action<DistributedSingleFlightStrategyOptions<int>>> Refused => new()
    {
        { "Lease", options => options.Lease = TimeSpan.FromMilliseconds(499) },
        { "Lease", options => options.Lease = TimeSpan.FromMilliseconds(60_001) },
        { "Lease", options => options.Lease = s_infinite },
        { "MaxWait", options => options.MaxWait = TimeSpan.Zero },
        { "MaxWait", options => options.MaxWait = s_infinite },
        { "CommandTimeout", options => options.CommandTimeout = TimeSpan.Zero },
        { "CommandTimeout", options => options.CommandTimeout = TimeSpan.FromTicks(-1) },
        { "MaxPayloadBytes", options => options.MaxPayloadBytes = 0 },
        { "MaxJoinAge", options => options.MaxJoinAge = TimeSpan.Zero },
        { "MaxJoinAge", options => options.MaxJoinAge = TimeSpan.FromTicks(-1) },
        { "KeyGenerator", options => options.KeyGenerator = null! },
    };

    [Fact]
    public void Defaults_AreThoseOfTheDocumentation()
    {
        var options = new DistributedSingleFlightStrategyOptions<int>();
        Assert.Equal("DistributedSingleFlight", options.Name);
        Assert.Null(options.Serializer);
        Assert.Null(options.ExceptionSerializer);
        Assert.Null(options.ShouldShare);
        Assert.Null(options.JsonTypeInfo);
        Assert.Equal((0, 256 * 1024), (options.Version, options.MaxPayloadBytes));
        Assert.Equal((s_infinite, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(250)), (options.MaxJoinAge, options.MaxWait, options.Lease, options.CommandTimeout));
    }

    [Theory]
    [MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public async Task Option_OutOfRange_IsRefusedByName(string name, Action<DistributedSingleFlightStrategyOptions<int>> change)
    {
        var options = new DistributedSingleFlightStrategyOptions<int>();
        change(options);
        await using var group = new RedisSingleFlightGroup(Server.Connection, Scope);
        Assert.Contains(name, Assert.Throws<ValidationException>(() => new ResiliencePipelineBuilder<int>().AddDistributedSingleFlight(group, options)).Message);
    }

    [Fact]
    public async Task Options_AtTheirLimits_AreTaken()
    {
        await using var group = new RedisSingleFlightGroup(Server.Connection, Scope);
        foreach (var lease in new[] { 0.5, 60 })
        {
            var options = new DistributedSingleFlightStrategyOptions<int>
            {
                Lease = TimeSpan.FromSeconds(lease),
                MaxWait = TimeSpan.MaxValue,
                CommandTimeout = TimeSpan.MaxValue,
                MaxJoinAge = TimeSpan.MaxValue,
                MaxPayloadBytes = 1,
            };
            var pipeline = new ResiliencePipelineBuilder<int>().AddDistributedSingleFlight(group, options).Build();
            Assert.Equal(1, await pipeline.ExecuteSingleFlightAsync("key", _ => new ValueTask<int>(1)).Soon());
        }
    }

    [Fact]
    public async Task ResultType_Disposable_IsRefusedWhenAdded()
    {
        await using var group = new RedisSingleFlightGroup(Server.Connection, Scope);
        Assert.Contains("Share what was read", Assert.Throws<ArgumentException>(() => new ResiliencePipelineBuilder<HttpResponseMessage>().AddDistributedSingleFlight(group)).Message);
        Assert.Contains("Stream", Assert.Throws<ArgumentException>(() => new ResiliencePipelineBuilder<Stream>().AddDistributedSingleFlight(group)).Message);
        Assert.Throws<ArgumentException>(() => new ResiliencePipelineBuilder<IAsyncDisposable>().AddDistributedSingleFlight(group));
        var objects = new ResiliencePipelineBuilder<object>().AddDistributedSingleFlight(group).Build();
        await Assert.ThrowsAsync<InvalidOperationException>(() => objects.ExecuteSingleFlightAsync<object, Stream>("key", _ => new ValueTask<Stream>(Stream.Null)).Soon());
    }

    [Fact]
    public void Group_WithoutScopeOrWithAShortSecret_IsRefused()
    {
        Assert.Throws<ArgumentException>("scope", () => new RedisSingleFlightGroup(Server.Connection, ""));
        Assert.Throws<ArgumentNullException>("scope", () => new RedisSingleFlightGroup(Server.Connection, null!));
        Assert.Throws<ArgumentNullException>("redis", () => new RedisSingleFlightGroup(null!, "scope"));
        Assert.Throws<ArgumentException>("secret", () => new RedisSingleFlightGroup(Server.Connection, "scope", new byte[15]));
        Assert.Equal("scope", new RedisSingleFlightGroup(Server.Connection, "scope", new byte[16]).Scope);
        Assert.Throws<ArgumentException>("secret", () => new ServiceCollection().AddRedisSingleFlight("scope", new byte[15]));
    }

    [Fact]
    public async Task Services_HaveOneGroup_AndDisposeIt()
    {
        RedisSingleFlightGroup group;
        await using (var services = Services().BuildServiceProvider())
        {
            group = services.GetRequiredService<RedisSingleFlightGroup>();
            Assert.Same(group, services.GetRequiredService<RedisSingleFlightGroup>());
            Assert.Same(group, services.GetRequiredKeyedService<RedisSingleFlightGroup>(Scope));
            Assert.Equal(Scope, group.Scope);
            Assert.True(group.IsOpen);
            var pipeline = services.GetRequiredService<Registry.ResiliencePipelineProvider<string>>().GetPipeline<int>("pipeline");
            Assert.Equal(1, await pipeline.ExecuteSingleFlightAsync("key", _ => new ValueTask<int>(1)).Soon());
        }

        Assert.False(group.IsOpen);
        Assert.True(Server.Connection.IsConnected);

        // A container that is disposed synchronously disposes what it has that way.
        using var synchronous = Services().BuildServiceProvider();
        group = synchronous.GetRequiredService<RedisSingleFlightGroup>();
        ((IDisposable)synchronous).Dispose();
        Assert.False(group.IsOpen);

        IServiceCollection Services() => new ServiceCollection()
            .AddSingleton<IConnectionMultiplexer>(_ => new Borrowed(Server.Connection).Multiplexer)
            .AddRedisSingleFlight(Scope)
            .AddResiliencePipeline<string, int>("pipeline", static (builder, context) => builder
                .AddSingleFlight()
                .AddDistributedSingleFlight(context.ServiceProvider.GetRequiredService<RedisSingleFlightGroup>(), Node<int>.Patient()));
    }

    /// <summary>A connection that the container does not dispose, since others use it.</summary>
    private sealed class Borrowed(IConnectionMultiplexer connection)
    {
        public IConnectionMultiplexer Multiplexer { get; } = Undisposed.Of(connection);
    }
}
