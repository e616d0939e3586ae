namespace Polly.SingleFlight.Telemetry;

/// <summary>Names the option callback that threw.</summary>
internal readonly record struct CallbackFailedArguments(string Callback);
