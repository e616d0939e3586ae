global using Polly;
global using Polly.SingleFlight;
global using Polly.SingleFlight.Tests.Infrastructure;
global using Xunit;

// A recorder sees the whole process.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
