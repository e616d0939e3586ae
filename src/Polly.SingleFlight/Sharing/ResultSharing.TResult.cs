using System.Runtime.CompilerServices;
using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Sharing;

/// <summary>
/// The typed options of a pipeline of <typeparamref name="TResult"/>. An execution may have been made with a type derived
/// from it (<c>TActual</c>), so outcomes are converted on the way in and copies on the way out.
/// </summary>
internal sealed class ResultSharing<TResult>(
    Func<ShouldSharePredicateArguments<TResult>, ValueTask<bool>>? shouldShare,
    UnsharedOutcome unsharedOutcome,
    Func<ResultClonerArguments<TResult>, ValueTask<TResult>>? cloner,
    FlightTelemetry telemetry)
    : ResultSharing
{
    /// <summary>Functions are equal if they are the same method of the same object.</summary>
    public override object Realm { get; } = (shouldShare, unsharedOutcome, cloner);

    public override bool MakesCopies => cloner is not null;

    /// <summary>Asks the predicate and makes the copies first.</summary>
    public override async ValueTask DistributeAsync<TActual>(
        Flight<TActual> flight, Waiter<TActual> followers, Outcome<TActual> outcome, ResilienceContext context, long now)
    {
        if (!(flight.Interception?.WasShared ?? await MayShareAsync(context, outcome).ConfigureAwait(false)))
        {
            OutcomeDistribution.SendAway(flight, followers, unsharedOutcome, now);
        }
        else if (cloner is not null && outcome is { Exception: null, Result: { } original })
        {
            await OutcomeDistribution.CloneAsync(followers, original, CloneAsync, context, now).ConfigureAwait(false);
        }
        else
        {
            OutcomeDistribution.Publish(followers, outcome, now);
        }
    }

    public override ValueTask<bool> MayShareAsync<TActual>(ResilienceContext context, Outcome<TActual> outcome) =>
        shouldShare is null ? new(true) : OutcomeDistribution.AskAsync(telemetry, shouldShare, context, Convert(outcome));

    public override ValueTask<TActual> CopyAsync<TActual>(ResilienceContext context, TActual result) =>
        result is null ? new(result) : CloneAsync(context, result);

    private async ValueTask<TActual> CloneAsync<TActual>(ResilienceContext context, TActual result)
    {
        var copy = await cloner!(new ResultClonerArguments<TResult>(context, (TResult)(object)result!)).ConfigureAwait(false);
        return copy switch
        {
            TActual typed => typed,
            null => default!,
            _ => throw new InvalidOperationException(
                $"The ResultCloner returned a {copy.GetType().Name} as the copy of a {typeof(TActual).Name}."),
        };
    }

    private static Outcome<TResult> Convert<TActual>(Outcome<TActual> outcome)
    {
        if (typeof(TActual) == typeof(TResult))
        {
            return Unsafe.As<Outcome<TActual>, Outcome<TResult>>(ref outcome);
        }

        return outcome.Exception is { } exception
            ? Outcome.FromException<TResult>(exception)
            : Outcome.FromResult((TResult)(object?)outcome.Result!);
    }
}
