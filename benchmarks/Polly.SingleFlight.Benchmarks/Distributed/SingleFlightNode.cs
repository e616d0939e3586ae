using Polly.SingleFlight.Redis;
using StackExchange.Redis;

namespace Polly.SingleFlight.Benchmarks.Distributed;

/// <summary>A node with single flight of its own and over Redis.</summary>
internal sealed class SingleFlightNode : Node
{
    private readonly RedisSingleFlightGroup _group;
    private readonly ResiliencePipeline<string> _pipeline;

    public SingleFlightNode(ConnectionMultiplexer connection, string scope, DistributedSingleFlightStrategyOptions<string>? options = null)
        : base(connection)
    {
        _group = new RedisSingleFlightGroup(connection, scope);
        _pipeline = new ResiliencePipelineBuilder<string>().AddSingleFlight().AddDistributedSingleFlight(_group, options ?? new()).Build();
    }

    public override async Task<string> CallAsync(string key, Func<Task<string>> work) =>
        await _pipeline.ExecuteSingleFlightAsync(key, static async (work, _) => await work().ConfigureAwait(false), work).ConfigureAwait(false);

    public override async ValueTask DisposeAsync()
    {
        await _group.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }
}
