using System.Runtime.CompilerServices;

namespace Polly.SingleFlight.Caching;

/// <summary>Results and outcomes, whatever type an execution was made with.</summary>
internal static class Results
{
    /// <summary>An execution may have been made with a type derived from that of the options.</summary>
    public static TResult Up<TResult, TActual>(TActual value) =>
        typeof(TActual) == typeof(TResult) ? Unsafe.As<TActual, TResult>(ref value) : (TResult)(object?)value!;

    public static Outcome<TResult> Up<TResult, TActual>(Outcome<TActual> outcome) => outcome.Exception is { } exception
        ? Outcome.FromException<TResult>(exception)
        : Outcome.FromResult(Up<TResult, TActual>(outcome.Result!));

    public static Outcome<TResult> Canceled<TResult>(ResilienceContext context) =>
        Outcome.FromException<TResult>(new OperationCanceledException(context.CancellationToken));

    /// <summary>Runs what is inside, so that it ends in an outcome however it fails.</summary>
    public static ValueTask<Outcome<TResult>> Invoke<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state)
    {
        try
        {
            return callback(context, state);
        }
        catch (Exception exception)
        {
            return Outcome.FromExceptionAsValueTask<TResult>(exception);
        }
    }

    /// <summary>The same task, except that it does not fail.</summary>
    public static async ValueTask<Outcome<TResult>> Settle<TResult>(this ValueTask<Outcome<TResult>> pending)
    {
        try
        {
            return await pending.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            return Outcome.FromException<TResult>(exception);
        }
    }

    /// <summary>Whether two results are the same one: the same object, or equal values.</summary>
    public static bool AreSame<TResult>(TResult left, TResult right) =>
        typeof(TResult).IsValueType ? EqualityComparer<TResult>.Default.Equals(left, right) : ReferenceEquals(left, right);
}
