namespace Polly.SingleFlight.Flights;

/// <summary>What a caller is to do: follow with a waiter, lead a flight, or, with neither, run alone because it would wait for itself.</summary>
internal readonly record struct Admission<TResult>(Flight<TResult>? Flight, Waiter<TResult>? Waiter, int CallerCount);
