using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight;

/// <summary>
/// Options of the single flight strategy for pipelines of one result type.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
public class SingleFlightStrategyOptions<TResult> : SingleFlightStrategyOptions
{
    /// <summary>
    /// Gets or sets the predicate that decides whether a flight's outcome goes to its followers. It is asked once per
    /// flight, and only if there are followers; the leader gets the outcome in any case.
    /// </summary>
    /// <value>The default is <see langword="null"/>: every outcome is shared. A predicate that throws counts as "not shared".</value>
    public Func<ShouldSharePredicateArguments<TResult>, ValueTask<bool>>? ShouldShare { get; set; }

    /// <summary>
    /// Gets or sets what followers do when an outcome is not shared with them.
    /// </summary>
    /// <value>The default is <see cref="SingleFlight.UnsharedOutcome.ExecuteIndividually"/>.</value>
    [EnumDataType(typeof(UnsharedOutcome))]
    public UnsharedOutcome UnsharedOutcome { get; set; } = UnsharedOutcome.ExecuteIndividually;

    /// <summary>
    /// Gets or sets the function that makes a follower's own copy of a result. It is called once per follower, before the
    /// leader receives the original. Required for result types that are <see cref="IDisposable"/> or <see cref="IAsyncDisposable"/>.
    /// </summary>
    /// <value>
    /// The default is <see langword="null"/>: followers receive the leader's result itself. A <see langword="null"/> result is
    /// not copied. A cloner that throws gives that follower the exception.
    /// </value>
    public Func<ResultClonerArguments<TResult>, ValueTask<TResult>>? ResultCloner { get; set; }

    internal override Type? ResultType => typeof(TResult);

    internal override Sharing.ResultSharing? CreateSharing(
        SingleFlightGroup group, ResiliencePipelineBuilderBase builder, Telemetry.FlightTelemetry telemetry) =>
        ShouldShare is null && ResultCloner is null
            ? null
            : new Sharing.ResultSharing<TResult>(ShouldShare, UnsharedOutcome, ResultCloner, telemetry);
}
