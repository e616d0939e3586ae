using System.Runtime.CompilerServices;
using Polly.SingleFlight.Flights;
using Polly.SingleFlight.Telemetry;

namespace Polly.SingleFlight.Sharing;

/// <summary>
/// Shares results by the typed options of a pipeline of <typeparamref name="TResult"/>. The result type of an execution (<c>TActual</c>) may be
/// derived from it, so outcomes are converted for the functions of the options, and copies are converted back.
/// </summary>
internal sealed class ResultSharing<TResult>(
    Func<ShouldSharePredicateArguments<TResult>, ValueTask<bool>>? shouldShare,
    UnsharedOutcome unsharedOutcome,
    Func<ResultClonerArguments<TResult>, ValueTask<TResult>>? cloner,
    FlightTelemetry telemetry)
    : ResultSharing
{
    /// <summary>Two functions are equal if they are the same method of the same object.</summary>
    public override object Realm { get; } = (shouldShare, unsharedOutcome, cloner);

    public override bool MakesCopies => cloner is not null;

    public override async ValueTask<SharingDecision> DecideAsync<TActual>(
        Attachment? leader, object key, ResilienceContext context, Outcome<TActual> outcome, bool? isShared)
    {
        if (!(isShared ?? await MayShareAsync(context, outcome).ConfigureAwait(false)))
        {
            return unsharedOutcome == UnsharedOutcome.ElectNewLeader
                ? new SharingDecision(SharingKind.Elect)
                : SharingDecision.Alone(BypassReason.Unshared);
        }

        return new SharingDecision(cloner is not null && outcome is { Exception: null, Result: not null } ? SharingKind.Copies : SharingKind.Same);
    }

    public override ValueTask<bool> MayShareAsync<TActual>(ResilienceContext context, Outcome<TActual> outcome) =>
        shouldShare is null ? new(true) : AskAsync(telemetry, shouldShare, context, Convert(outcome));

    public override async ValueTask<TActual> MakeCopyAsync<TActual>(ResilienceContext context, TActual original) => original is null
        ? original
        : (await CopyAsync(leader: null, follower: null, context, original).ConfigureAwait(false)).Result!;

    public override async ValueTask<FollowerCopy<TActual>> CopyAsync<TActual>(
        Attachment? leader, Attachment? follower, ResilienceContext context, TActual original)
    {
        var copy = await cloner!(new ResultClonerArguments<TResult>(context, (TResult)(object)original!)).ConfigureAwait(false);
        return copy switch
        {
            TActual typed => new FollowerCopy<TActual>(typed),
            null => default,
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
