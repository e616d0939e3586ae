using Polly.Registry;

namespace Polly.SingleFlight.Extensions.Pipelines;

/// <summary>
/// One pipeline between two reloads. Its strategies are disposed when nothing can run in it any more, which only the garbage
/// collector knows: a flight may go on in it, between two attempts of a retry say, after every caller that came through it has
/// left, because its other callers came through the next generation. Every execution therefore holds its generation as part of
/// its state, and the finalizer disposes. (Polly's own reload disposes after 30 seconds, come what may.)
/// </summary>
internal sealed class PipelineGeneration(
    ResiliencePipelineRegistry<PipelineKey> registry, ResiliencePipeline<HttpResponseMessage> pipeline)
{
    public ResiliencePipeline<HttpResponseMessage> Pipeline { get; } = pipeline;

    ~PipelineGeneration() => ThreadPool.UnsafeQueueUserWorkItem(static registry => _ = DisposeAsync(registry), registry, preferLocal: false);

    private static async Task DisposeAsync(ResiliencePipelineRegistry<PipelineKey> registry)
    {
        try
        {
            await registry.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception)
        {
            // A strategy that cannot be disposed; nobody uses it any more, and nobody is left to hear of it.
        }
    }
}
