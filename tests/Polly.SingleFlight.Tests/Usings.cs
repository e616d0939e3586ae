global using Polly.SingleFlight.Tests.Infrastructure;
global using Xunit;
