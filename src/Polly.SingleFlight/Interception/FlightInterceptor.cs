namespace Polly.SingleFlight;

/// <summary>
/// Work of a strategy outside single flight, such as a cache, that has to be done inside the flight: before its callback, when the flight can be
/// joined already, and after it, while the flight can still be joined and no caller holds the outcome.
/// </summary>
/// <remarks>
/// A strategy makes one for each execution and sets it with
/// <see cref="FlightInterceptorResilienceContextExtensions.SetFlightInterceptor"/> before it calls on. The next single flight strategy that runs with this context
/// uses it, if <see cref="IsFor"/> agrees: when the caller leads, and when it runs alone. Of a caller that follows it is told, by <see cref="OnFollowing"/>; the
/// leader's interceptor works for it, if both have the same <see cref="Identity"/>, else its own works beside the leader's. What a member throws is
/// ignored: report it where it happens.
/// </remarks>
public abstract class FlightInterceptor
{
    /// <summary>Initializes a new instance of the <see cref="FlightInterceptor"/> class.</summary>
    /// <param name="identity">What the work is done for. Of interceptors with equal identities one works for a flight.</param>
    /// <exception cref="ArgumentNullException"><paramref name="identity"/> is <see langword="null"/>.</exception>
    protected FlightInterceptor(object identity)
    {
        ArgumentNullException.ThrowIfNull(identity);
        Identity = identity;
    }

    /// <summary>Gets what the work is done for. Of interceptors with equal identities one works for a flight.</summary>
    public object Identity { get; }

    /// <summary>Decides whether this is meant for the strategy that has found it.</summary>
    /// <typeparam name="TResult">The result type of the execution.</typeparam>
    /// <param name="builder">The builder of the pipeline of the single flight strategy.</param>
    /// <param name="key">The key of the flight; <see langword="null"/> for a caller that runs alone.</param>
    /// <returns><see langword="true"/> to work inside this execution.</returns>
    public abstract bool IsFor<TResult>(ResiliencePipelineBuilderBase builder, object? key);

    /// <summary>The same as <see cref="IsFor"/>; one that throws says no.</summary>
    internal bool Applies<TResult>(ResiliencePipelineBuilderBase builder, object? key)
    {
        try
        {
            return IsFor<TResult>(builder, key);
        }
        catch (Exception)
        {
            return false;
        }
    }

    /// <summary>The same as <see cref="OnFollowing"/>. Does not throw.</summary>
    internal void NotifyFollowing()
    {
        try
        {
            OnFollowing();
        }
        catch (Exception)
        {
            // The caller follows all the same.
        }
    }

    /// <summary>Called on the caller's thread when it has joined a flight and is about to wait. It may be elected to lead later on.</summary>
    public virtual void OnFollowing()
    {
    }

    /// <summary>
    /// Called after <see cref="OnFollowing"/> if the flight has no interceptor with this <see cref="Identity"/> yet. This one then works for the flight, unless another was
    /// added at the same moment. <see cref="OnLanded"/> is called either way.
    /// </summary>
    /// <param name="flight">The flight.</param>
    public virtual void OnJoined(InterceptedFlight flight)
    {
    }

    /// <summary>Called before the callback of a flight that the caller leads.</summary>
    /// <typeparam name="TResult">The result type of the flight.</typeparam>
    /// <param name="flight">The flight.</param>
    /// <param name="context">The context of the flight.</param>
    /// <returns>An outcome in place of the callback's, which is not called then, or <see langword="null"/> to call it.</returns>
    public abstract ValueTask<Outcome<TResult>?> BeforeCallbackAsync<TResult>(InterceptedFlight flight, ResilienceContext context);

    /// <summary>
    /// Called once for each execution that it is for, however that ended, before its flight lands.
    /// </summary>
    /// <typeparam name="TResult">The result type of the flight.</typeparam>
    /// <param name="flight">The flight, or the execution of a caller that ran alone.</param>
    /// <param name="context">The context that the callback had.</param>
    /// <param name="outcome">The outcome.</param>
    /// <returns>A task that ends when the flight may land.</returns>
    public abstract ValueTask AfterCallbackAsync<TResult>(InterceptedFlight flight, ResilienceContext context, Outcome<TResult> outcome);

    /// <summary>
    /// Called for each execution that <see cref="OnJoined"/>, <see cref="BeforeCallbackAsync"/> or <see cref="AfterCallbackAsync"/> was called for, when newcomers no longer join it. On
    /// the stack of the landing, so it must be short.
    /// </summary>
    /// <param name="flight">The flight, or the execution of a caller that ran alone.</param>
    public virtual void OnLanded(InterceptedFlight flight)
    {
    }
}
