using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight;

/// <summary>
/// Options of the single flight strategy.
/// </summary>
/// <remarks>
/// The values are read when the pipeline is built; changing them later has no effect on pipelines already built.
/// Event callbacks are awaited by the caller they are reported to (except <see cref="OnFlightAbandoned"/>); what they
/// throw is reported to telemetry and otherwise ignored.
/// </remarks>
public class SingleFlightStrategyOptions : ResilienceStrategyOptions
{
    internal static readonly Func<SingleFlightKeyGeneratorArguments, ValueTask<object?>> KeyFromContext =
        static args => new(args.Context.GetSingleFlightKey());

    /// <summary>Initializes a new instance of the <see cref="SingleFlightStrategyOptions"/> class.</summary>
    public SingleFlightStrategyOptions() => Name = "SingleFlight";

    /// <summary>
    /// Gets or sets the generator of the key under which executions are coalesced.
    /// </summary>
    /// <value>
    /// Required. The default returns <see cref="SingleFlightResilienceContextExtensions.GetSingleFlightKey"/> of the context.
    /// A <see langword="null"/> key or an empty string bypasses. A generator that throws fails that caller only.
    /// </value>
    /// <remarks>
    /// A generator that really awaits puts an asynchronous method around its caller's wait, so a caller of the synchronous <c>Execute</c> needs a
    /// thread of the pool to wake.
    /// </remarks>
    [Required]
    public Func<SingleFlightKeyGeneratorArguments, ValueTask<object?>> KeyGenerator { get; set; } = KeyFromContext;

    /// <summary>
    /// Gets or sets the namespace of keys. Pipelines that are given the same group coalesce with each other if their sharing rules
    /// (<see cref="SingleFlightStrategyOptions{TResult}.ShouldShare"/>, <see cref="SingleFlightStrategyOptions{TResult}.UnsharedOutcome"/>,
    /// <see cref="SingleFlightStrategyOptions{TResult}.ResultCloner"/>) are equal, functions being equal if they are the same method of the same
    /// object; and a group survives pipeline reloads.
    /// </summary>
    /// <value>The default is <see langword="null"/>: every built strategy has a group of its own.</value>
    public SingleFlightGroup? Group { get; set; }

    /// <summary>
    /// Gets or sets how old a flight may be for this pipeline's callers to join it. A caller that arrives later starts a
    /// new flight, which takes over the key; the old flight keeps the callers it has.
    /// </summary>
    /// <value>
    /// Positive, or <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>, the default. Measured on the
    /// <see cref="ResiliencePipelineBuilderBase.TimeProvider"/> of the builder.
    /// </value>
    [PositiveOrInfinite]
    public TimeSpan MaxJoinAge { get; set; } = System.Threading.Timeout.InfiniteTimeSpan;

    /// <summary>
    /// Gets or sets what happens when the leader leaves while others still wait.
    /// </summary>
    /// <value>The default is <see cref="SingleFlight.LeaderDeparture.Detach"/>.</value>
    [EnumDataType(typeof(LeaderDeparture))]
    public LeaderDeparture LeaderDeparture { get; set; } = LeaderDeparture.Detach;

    /// <summary>
    /// Gets or sets how often one caller may be re-elected or handed to another flight during one execution, as leader or
    /// as follower. Beyond that it runs its own callback alone.
    /// </summary>
    /// <value>Zero or more. The default is 1.</value>
    [Range(0, int.MaxValue)]
    public int MaxElections { get; set; } = 1;

    /// <summary>
    /// Gets or sets a value indicating whether the callback's token is cancelled when the last caller has left.
    /// </summary>
    /// <value>The default is <see langword="true"/>. With <see langword="false"/> the callback runs to its end and nobody receives its outcome.</value>
    public bool CancelWhenAbandoned { get; set; } = true;

    /// <summary>
    /// Gets or sets a value indicating whether a callback that would wait for its own flight, directly or through other
    /// flights, is detected and runs alone instead of waiting forever.
    /// </summary>
    /// <value>
    /// The default is <see langword="true"/>. The price is one <see cref="AsyncLocal{T}"/> assignment and one property of the flight's
    /// context per flight.
    /// </value>
    /// <remarks>
    /// <para>
    /// A nested execution is known to be inside a flight by any of these: it runs on the execution context of the flight's callback; it is made
    /// with the <see cref="ResilienceContext"/> that the callback was given, or with one that its properties were copied to; it is made
    /// with the flight's own token, <see cref="ResilienceContext.CancellationToken"/> of that context.
    /// </para>
    /// <para>
    /// Where none of them comes through it is not detected, and waits until its caller's token fires: behind an actor, a channel,
    /// <see cref="ThreadPool.UnsafeQueueUserWorkItem(WaitCallback, object?)"/> or <see cref="ExecutionContext.SuppressFlow"/>, if neither context nor
    /// token is passed. A token linked to the flight's is not recognised, and that is what a timeout or hedging inside gives its callback;
    /// pass the context there. A timeout of the nested execution, or <see cref="MaxJoinAge"/>, ends such a wait.
    /// </para>
    /// <para>It takes the option of every pipeline on the way: one without it neither looks nor is seen on that way.</para>
    /// </remarks>
    public bool DetectReentrancy { get; set; } = true;

    /// <summary>
    /// Gets or sets the callback for the start of a flight, reported on the leader's context before its callback runs.
    /// </summary>
    /// <value>The default is <see langword="null"/>.</value>
    public Func<OnFlightStartedArguments, ValueTask>? OnFlightStarted { get; set; }

    /// <summary>
    /// Gets or sets the callback for a caller that joined a flight, reported on that follower's context.
    /// </summary>
    /// <value>The default is <see langword="null"/>.</value>
    public Func<OnFlightJoinedArguments, ValueTask>? OnFlightJoined { get; set; }

    /// <summary>
    /// Gets or sets the callback for a flight whose callback ended while somebody waited for it, reported on the leader's
    /// context, or on the flight's own if the leader had left.
    /// </summary>
    /// <value>The default is <see langword="null"/>.</value>
    public Func<OnFlightCompletedArguments, ValueTask>? OnFlightCompleted { get; set; }

    /// <summary>
    /// Gets or sets the callback for a flight whose last caller left, reported on that caller's context before it returns.
    /// It is not awaited.
    /// </summary>
    /// <value>The default is <see langword="null"/>.</value>
    public Func<OnFlightAbandonedArguments, ValueTask>? OnFlightAbandoned { get; set; }

    /// <summary>
    /// Gets or sets the callback for an execution that was not coalesced, reported on that caller's context before its
    /// own callback runs.
    /// </summary>
    /// <value>The default is <see langword="null"/>.</value>
    public Func<OnFlightBypassedArguments, ValueTask>? OnFlightBypassed { get; set; }

    /// <summary>The result type these options are for, or null when they fit every result type.</summary>
    internal virtual Type? ResultType => null;

    /// <summary>Refuses a pipeline that these options cannot be in.</summary>
    /// <exception cref="InvalidOperationException">They cannot; the message says what to write.</exception>
    internal virtual void CheckPipeline(ResiliencePipelineBuilderBase builder)
    {
    }

    /// <summary>What of these options depends on the result type, or null when nothing does.</summary>
    internal virtual Sharing.ResultSharing? CreateSharing(
        SingleFlightGroup group, ResiliencePipelineBuilderBase builder, Telemetry.FlightTelemetry telemetry) => null;
}
