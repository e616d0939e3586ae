namespace Polly.SingleFlight;

/// <summary>
/// How old a result is that was not made by the execution that returns it: one from a cache, or of another node. Set with
/// <see cref="FlightInterceptorResilienceContextExtensions.SetResultOrigin"/> by the strategy that returns it, for a cache further out.
/// </summary>
public interface IResultOrigin
{
    /// <summary>Gets when the call for the result began.</summary>
    DateTimeOffset StartedAt { get; }

    /// <summary>Gets when the call for the result had ended.</summary>
    DateTimeOffset EndedAt { get; }

    /// <summary>Gets when the lifetime of the result is over, or <see langword="null"/> if that is not known.</summary>
    DateTimeOffset? ExpiresAt { get; }
}
