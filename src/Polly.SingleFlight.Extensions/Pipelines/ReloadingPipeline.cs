using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Polly.Registry;
using Polly.SingleFlight.Extensions.Logging;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Pipelines;

/// <summary>
/// The pipeline of a client, built again when the options it watches change. The new one is built first; only if that went well
/// does it take the place of the old one.
/// </summary>
/// <remarks>
/// The reloads of <see cref="ResiliencePipelineRegistry{TKey}"/> do not do: when the new pipeline cannot be built they dispose
/// the old one, which stays in use, and listen no more.
/// </remarks>
internal sealed class ReloadingPipeline : IDisposable
{
    private readonly Action<ResiliencePipelineBuilder<HttpResponseMessage>, SingleFlightHandlerContext> _configure;
    private readonly IServiceProvider _services;
    private readonly ILogger _logger;
    private readonly Dictionary<(Type, string), IDisposable?> _watched = [];

    private volatile PipelineGeneration _current;
    private int _requests = 1;      // of builds that were asked for since the one that runs began, that one included
    private bool _disposed;

    public ReloadingPipeline(
        PipelineKey key,
        SingleFlightGroup group,
        Action<ResiliencePipelineBuilder<HttpResponseMessage>, SingleFlightHandlerContext> configure,
        IServiceProvider services)
    {
        Key = key;
        Group = group;
        _configure = configure;
        _services = services;
        _logger = Log.CreateLogger(services);
        try
        {
            _current = Build();
        }
        catch
        {
            Dispose();
            throw;
        }

        BuildAsOftenAsAsked(seen: 1);
    }

    public PipelineKey Key { get; }

    public SingleFlightGroup Group { get; }

    public PipelineGeneration Current => _current;

    /// <summary>
    /// Subscribes once, at once, and for all generations: a change during the build that asked for it would be missed otherwise.
    /// </summary>
    public void Watch((Type Options, string Name) options, Func<IDisposable?> subscribe)
    {
        lock (_watched)
        {
            if (_disposed || !_watched.TryAdd(options, null))
            {
                return;
            }
        }

        var subscription = subscribe();
        lock (_watched)
        {
            if (!_disposed)
            {
                _watched[options] = subscription;
                return;
            }
        }

        subscription?.Dispose();
    }

    /// <summary>Builds on this thread, unless another one is at it: then that one builds once more.</summary>
    public void Reload()
    {
        if (Interlocked.Increment(ref _requests) == 1)
        {
            BuildAsOftenAsAsked(seen: 0);
        }
    }

    /// <summary>Ends the reloads. What is in the air finishes.</summary>
    public void Dispose()
    {
        List<IDisposable?> subscriptions;
        lock (_watched)
        {
            _disposed = true;
            subscriptions = [.. _watched.Values];
            _watched.Clear();
        }

        subscriptions.ForEach(static subscription => subscription?.Dispose());
    }

    /// <param name="seen">How many of the requests have been met already.</param>
    private void BuildAsOftenAsAsked(int seen)
    {
        for (var asked = Volatile.Read(ref _requests); ; asked = Volatile.Read(ref _requests))
        {
            if (asked != seen)
            {
                TryBuild();
                seen = asked;
            }

            if (Interlocked.CompareExchange(ref _requests, 0, seen) == seen)
            {
                return;
            }
        }
    }

    private void TryBuild()
    {
        try
        {
            _current = Build();
            Log.PipelineReloaded(_logger, Key.PipelineName, Key.ClientName);
        }
        catch (Exception exception)
        {
            Log.PipelineReloadFailed(_logger, exception, Key.PipelineName, Key.ClientName);
        }
    }

    private PipelineGeneration Build()
    {
        var registry = new ResiliencePipelineRegistry<PipelineKey>(new ResiliencePipelineRegistryOptions<PipelineKey>
        {
            BuilderNameFormatter = static key => key.PipelineName,
            InstanceNameFormatter = static key => key.ClientName,
        });
        var pipeline = registry.GetOrAddPipeline<HttpResponseMessage>(Key, builder =>
        {
            if (_services.GetService<TimeProvider>() is { } timeProvider)
            {
                builder.TimeProvider = timeProvider;
            }

            _configure(builder, new SingleFlightHandlerContext(this, _services));
            builder.TelemetryListener = LoggingListener.Before(builder.TelemetryListener, _logger);
        });
        return new PipelineGeneration(registry, pipeline);
    }
}
