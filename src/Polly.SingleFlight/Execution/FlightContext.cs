using System.Collections.ObjectModel;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Execution;

/// <summary>
/// The context that a flight owns, so that its callback never sees one whose caller has returned (S3).
/// </summary>
internal static class FlightContext
{
    /// <summary>
    /// A context from the pool with the leader's settings, a copy of its properties, and the flight's token.
    /// </summary>
    /// <param name="leader">The context of the leader.</param>
    /// <param name="flight">The flight.</param>
    /// <param name="inside">What the strategy outside wants done inside the flight.</param>
    public static ResilienceContext Rent(ResilienceContext leader, Flight flight, out FlightInterceptor? inside)
    {
        inside = null;
        Flight? outer = null;
        var context = ResilienceContextPool.Shared.Get(leader.OperationKey, leader.ContinueOnCapturedContext, flight.Token);
        var entries = EntriesOf(leader);
        if (HasNothingButTheKey(entries, flight))
        {
            context.Properties.SetProperties(flight, out var empty);
            flight.ReplaceProperties(empty);
            return context;
        }

        var target = EntriesOf(context);
        Copy(entries, target, ref inside, ref outer);

        // A flight that is not looked for passes on what it is inside, as the execution context does.
        if ((flight.Rules.DetectReentrancy ? flight : outer) is { } innermost)
        {
            target[ContextProperties.Flight.Key] = innermost;
        }

        return context;
    }

    /// <summary>A context for a call that no caller waits for, with the settings of another and a copy of its properties.</summary>
    public static ResilienceContext RentCopy(ResilienceContext other)
    {
        FlightInterceptor? inside = null;
        Flight? outer = null;
        var context = ResilienceContextPool.Shared.Get(other.OperationKey, other.ContinueOnCapturedContext, CancellationToken.None);
        Copy(EntriesOf(other), EntriesOf(context), ref inside, ref outer);
        return context;
    }

    public static void Return(ResilienceContext context) => ResilienceContextPool.Shared.Return(context);

    /// <summary>Gives the leader, who must still be there, what the callback wrote.</summary>
    public static void CopyBack(ResilienceContext context, Flight flight, ResilienceContext leader)
    {
        var entries = EntriesOf(context);
        if (flight.IsUnwritten(entries))
        {
            return;
        }

        // Most callbacks write nothing, and then there is nothing here but keys of our own.
        IDictionary<string, object?>? target = null;
        if (flight.PropertiesIn(entries) is Dictionary<string, object?> usual)
        {
            foreach (var (name, value) in usual)
            {
                CopyToLeader(ref target, leader, name, value);
            }
        }
        else
        {
            foreach (var (name, value) in entries)
            {
                CopyToLeader(ref target, leader, name, value);
            }
        }
    }

    public static void Return(ResilienceContext context, Flight flight)
    {
        if (flight.TakeReplaced() is { } own)
        {
            context.Properties.SetProperties(own, out _);
        }

        ResilienceContextPool.Shared.Return(context);
    }

    /// <summary>
    /// Whether a leader, whose part in the flight is noted already, has nothing else but the key of it, so that the flight itself stands in for a copy
    /// of its properties.
    /// </summary>
    private static bool HasNothingButTheKey(IDictionary<string, object?> entries, Flight flight) =>
        entries is Dictionary<string, object?> { Count: 2 } usual
        && usual.TryGetValue(ContextProperties.Key.Key, out var key)
        && ReferenceEquals(key, flight.Key);

    private static void Copy(
        IDictionary<string, object?> entries, IDictionary<string, object?> target, ref FlightInterceptor? inside, ref Flight? outer)
    {
        if (entries is Dictionary<string, object?> usual)
        {
            foreach (var (name, value) in usual)
            {
                CopyToFlight(target, name, value, ref inside, ref outer);
            }
        }
        else
        {
            foreach (var (name, value) in entries)
            {
                CopyToFlight(target, name, value, ref inside, ref outer);
            }
        }
    }

    private static void CopyToFlight(
        IDictionary<string, object?> flight, string name, object? value, ref FlightInterceptor? inside, ref Flight? outer)
    {
        if (name == ContextProperties.Interceptor.Key)
        {
            // For this flight, and not for one that is started inside it.
            inside = value as FlightInterceptor;
        }
        else if (name == ContextProperties.Flight.Key)
        {
            outer = value as Flight;
        }
        else if (name != ContextProperties.Participation.Key)
        {
            flight[name] = value;
        }
    }

    private static void CopyToLeader(ref IDictionary<string, object?>? target, ResilienceContext leader, string name, object? value)
    {
        if (!ContextProperties.StaysWithFlight(name))
        {
            target ??= EntriesOf(leader);
            target[name] = value;
        }
    }

    /// <summary>
    /// Polly offers no way to enumerate properties, but a public one to exchange their dictionary: out and straight back.
    /// In between they are an empty read-only dictionary, so that a stray write fails instead of getting lost.
    /// </summary>
    public static IDictionary<string, object?> EntriesOf(ResilienceContext context)
    {
        context.Properties.SetProperties(ReadOnlyDictionary<string, object?>.Empty, out var entries);
        context.Properties.SetProperties(entries, out _);
        return entries;
    }
}
