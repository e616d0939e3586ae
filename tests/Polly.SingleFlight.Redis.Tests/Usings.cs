global using Polly.SingleFlight.Redis.Tests.Infrastructure;
global using Polly.SingleFlight.Tests.Infrastructure;
global using Proxy = Polly.SingleFlight.Redis.Tests.Infrastructure.Proxy;
global using StackExchange.Redis;
global using Xunit;

[assembly: AssemblyFixture(typeof(RedisServer))]
