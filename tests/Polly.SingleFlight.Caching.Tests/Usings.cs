global using Microsoft.Extensions.Caching.Hybrid;
global using Microsoft.Extensions.Caching.Memory;
global using Polly.SingleFlight.Caching.Tests.Infrastructure;
global using Polly.SingleFlight.Tests.Infrastructure;
global using Xunit;
