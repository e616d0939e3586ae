namespace Polly.SingleFlight.Extensions.Pipelines;

/// <summary>What a pipeline and its group belong to.</summary>
internal readonly record struct PipelineKey(string ClientName, string PipelineName);
