global using Polly.SingleFlight.Http;
