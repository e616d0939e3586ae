global using Polly.SingleFlight.Redis.Tests.Infrastructure;
global using Polly.SingleFlight.Tests.Infrastructure;
global using StackExchange.Redis;
global using Xunit;

[assembly: AssemblyFixture(typeof(RedisServer))]
