global using Polly.SingleFlight.Http;
global using Polly.SingleFlight.Tests.Infrastructure.Http;
