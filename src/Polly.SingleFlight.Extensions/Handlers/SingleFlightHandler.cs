using Microsoft.Extensions.Http.Resilience;

namespace Polly.SingleFlight.Extensions.Handlers;

/// <summary>Sends the requests of a client through its pipeline with single flight.</summary>
internal sealed class SingleFlightHandler(ResiliencePipeline<HttpResponseMessage> pipeline) : ResilienceHandler(pipeline);
