namespace Polly.SingleFlight.Caching.Telemetry;

/// <summary>Names what threw, and the type of what it threw.</summary>
internal readonly record struct CacheFailedArguments(string Source, string? ExceptionType);
