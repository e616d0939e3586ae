using System.Collections.Concurrent;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Pipelines;

/// <summary>
/// The pipelines of all clients of a service provider. A singleton, because handlers come and go: the factory makes new ones
/// every two minutes and in scopes of their own, and flights must not know.
/// </summary>
internal sealed class PipelineRegistry(IServiceProvider services) : IDisposable
{
    private readonly ConcurrentDictionary<PipelineKey, Lazy<ReloadingPipeline>> _pipelines = new();
    private readonly ConcurrentDictionary<PipelineKey, SingleFlightGroup> _groups = new();
    private volatile bool _disposed;

    public SingleFlightGroup GroupOf(PipelineKey key) => _groups.GetOrAdd(key, static _ => new SingleFlightGroup());

    /// <summary>The pipeline of the key. Whoever asks first builds it; what it throws stays, as it does in the client factory.</summary>
    public ReloadingPipeline GetOrAdd(
        PipelineKey key, Action<ResiliencePipelineBuilder<HttpResponseMessage>, SingleFlightHandlerContext> configure)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var pipeline = _pipelines.GetOrAdd(
            key, key => new Lazy<ReloadingPipeline>(() => new ReloadingPipeline(key, GroupOf(key), configure, services))).Value;
        if (_disposed)
        {
            pipeline.Dispose();
        }

        return pipeline;
    }

    /// <summary>Ends the reloads. Pipelines that handlers still hold go on working, as those handlers do.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (var lazy in _pipelines.Values)
        {
            if (lazy.IsValueCreated)
            {
                lazy.Value.Dispose();
            }
        }
    }
}
