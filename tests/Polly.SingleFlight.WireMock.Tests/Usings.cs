global using Polly.SingleFlight.Tests.Infrastructure;
global using Polly.SingleFlight.WireMock.Tests.Infrastructure;
global using Xunit;
