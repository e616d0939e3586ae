namespace Polly.SingleFlight.Caching.Tests;

/// <summary>Not in parallel with other tests: what these watch belongs to the whole process.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;
