using Polly.SingleFlight.Redis.Payload;

namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>An execution with a key: what it calls, and the flight that it asks for.</summary>
/// <param name="Kind">The kind of result.</param>
/// <param name="Name">The name of the flight in Redis.</param>
/// <param name="Key">The key as the caller gave it.</param>
/// <param name="Callback">What is executed.</param>
/// <param name="Context">The context of the execution.</param>
/// <param name="State">The state of the callback.</param>
internal sealed record FlightCall<TActual, TState>(
    FlightKind<TActual> Kind,
    FlightName Name,
    object Key,
    Func<ResilienceContext, TState, ValueTask<Outcome<TActual>>> Callback,
    ResilienceContext Context,
    TState State);
