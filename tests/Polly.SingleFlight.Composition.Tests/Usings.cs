global using Polly.SingleFlight.Composition.Tests.Infrastructure;
global using Polly.SingleFlight.Tests.Infrastructure;
global using Xunit;
