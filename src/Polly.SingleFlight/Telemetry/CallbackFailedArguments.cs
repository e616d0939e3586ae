namespace Polly.SingleFlight.Telemetry;

/// <summary>Names the option callback that threw, and the type of what it threw.</summary>
internal readonly record struct CallbackFailedArguments(string Callback, string? ExceptionType);
