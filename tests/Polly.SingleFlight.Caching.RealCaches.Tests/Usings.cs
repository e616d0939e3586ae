global using Microsoft.Extensions.Caching.Hybrid;
global using Microsoft.Extensions.Caching.Memory;
global using Microsoft.Extensions.DependencyInjection;
global using Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;
global using Polly.SingleFlight.Tests.Infrastructure;
global using Xunit;

[assembly: AssemblyFixture(typeof(RedisServer))]
