using System.Collections.ObjectModel;
using Polly.SingleFlight.Flights;

namespace Polly.SingleFlight.Execution;

/// <summary>
/// The context that a flight owns, so that its callback never sees one whose caller has returned (S3).
/// </summary>
internal static class FlightContext
{
    /// <summary>
    /// A context from the pool with the leader's settings, a copy of its properties, and the flight's token. It is the context of no flight
    /// until <see cref="ContextProperties.Flight"/> is set.
    /// </summary>
    /// <param name="leader">The context of the leader.</param>
    /// <param name="inside">What the strategy outside wants done inside the flight.</param>
    /// <param name="outer">The flight whose context the leader's is, or was copied from.</param>
    /// <param name="flightToken">The token of the flight.</param>
    public static ResilienceContext Rent(ResilienceContext leader, out FlightInterceptor? inside, out Flight? outer, CancellationToken flightToken)
    {
        inside = null;
        outer = null;
        var context = ResilienceContextPool.Shared.Get(leader.OperationKey, leader.ContinueOnCapturedContext, flightToken);
        var target = EntriesOf(context);
        if (EntriesOf(leader) is Dictionary<string, object?> entries)
        {
            foreach (var (name, value) in entries)
            {
                CopyToFlight(target, name, value, ref inside, ref outer);
            }
        }
        else
        {
            foreach (var (name, value) in EntriesOf(leader))
            {
                CopyToFlight(target, name, value, ref inside, ref outer);
            }
        }

        return context;
    }

    /// <summary>Gives the leader, who must still be there, what the callback wrote.</summary>
    public static void CopyBack(ResilienceContext context, ResilienceContext leader)
    {
        // Most callbacks write nothing, and then there is nothing here but keys of our own.
        IDictionary<string, object?>? target = null;
        if (EntriesOf(context) is Dictionary<string, object?> entries)
        {
            foreach (var (name, value) in entries)
            {
                CopyToLeader(ref target, leader, name, value);
            }
        }
        else
        {
            foreach (var (name, value) in EntriesOf(context))
            {
                CopyToLeader(ref target, leader, name, value);
            }
        }
    }

    public static void Return(ResilienceContext context) => ResilienceContextPool.Shared.Return(context);

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
    private static IDictionary<string, object?> EntriesOf(ResilienceContext context)
    {
        context.Properties.SetProperties(ReadOnlyDictionary<string, object?>.Empty, out var entries);
        context.Properties.SetProperties(entries, out _);
        return entries;
    }
}
