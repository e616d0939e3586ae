global using Polly.SingleFlight.Redis.Nodes;
global using Polly.SingleFlight.Redis.Processes.Tests.Infrastructure;
global using StackExchange.Redis;
global using Xunit;

[assembly: AssemblyFixture(typeof(Server))]

// Each test has several processes, and the server is one.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
