using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Polly.SingleFlight.Extensions.Pipelines;

namespace Polly.SingleFlight.Http;

/// <summary>
/// What is at hand while the pipeline of a client is built. See
/// <see cref="SingleFlightHttpClientBuilderExtensions.AddSingleFlightHandler"/>.
/// </summary>
public sealed class SingleFlightHandlerContext
{
    private readonly ReloadingPipeline _pipeline;

    internal SingleFlightHandlerContext(ReloadingPipeline pipeline, IServiceProvider serviceProvider)
    {
        _pipeline = pipeline;
        ServiceProvider = serviceProvider;
    }

    /// <summary>
    /// Gets the root service provider. A pipeline outlives every scope, so it cannot be built of scoped services.
    /// </summary>
    public IServiceProvider ServiceProvider { get; }

    /// <summary>
    /// Gets the group of this client and this pipeline. It is the same whenever the pipeline is built again, so that a flight in
    /// the air is still joined after a reload.
    /// </summary>
    public SingleFlightGroup Group => _pipeline.Group;

    internal string ClientName => _pipeline.Key.ClientName;

    /// <summary>
    /// Gets options as they are now. The instance is the one that <see cref="IOptionsMonitor{TOptions}"/> gives everybody.
    /// </summary>
    /// <typeparam name="TOptions">The type of the options.</typeparam>
    /// <param name="name">The name of the options. The default is <see langword="null"/>: the options without a name.</param>
    /// <returns>The options.</returns>
    /// <exception cref="OptionsValidationException">The options are invalid.</exception>
    public TOptions GetOptions<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>(string? name = null)
        where TOptions : class
        => Monitor<TOptions>().Get(name ?? Options.DefaultName);

    /// <summary>
    /// Builds the pipeline again when these options change. Requests sent from then on go through the new pipeline, those in the
    /// air finish on the old one. If the new pipeline cannot be built, an error is logged and the old one stays.
    /// </summary>
    /// <typeparam name="TOptions">The type of the options.</typeparam>
    /// <param name="name">The name of the options. The default is <see langword="null"/>: the options without a name.</param>
    public void EnableReloads<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>(string? name = null)
        where TOptions : class
    {
        var watched = name ?? Options.DefaultName;
        var pipeline = _pipeline;
        pipeline.Watch((typeof(TOptions), watched), () => Monitor<TOptions>().OnChange((_, changed) =>
        {
            if ((changed ?? Options.DefaultName) == watched)
            {
                pipeline.Reload();
            }
        }));
    }

    private IOptionsMonitor<TOptions> Monitor<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>()
        where TOptions : class
        => ServiceProvider.GetRequiredService<IOptionsMonitor<TOptions>>();
}
