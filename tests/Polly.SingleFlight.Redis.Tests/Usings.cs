global using Polly.SingleFlight.Redis.Tests.Infrastructure;
global using Polly.SingleFlight.Tests.Infrastructure;
global using StackExchange.Redis;
global using Xunit;
global using Proxy = Polly.SingleFlight.Redis.Tests.Infrastructure.Proxy;

[assembly: AssemblyFixture(typeof(RedisServer))]
