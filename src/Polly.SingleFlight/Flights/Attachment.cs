namespace Polly.SingleFlight.Flights;

/// <summary>What a caller brings along, for whoever gives it a result of its own.</summary>
internal abstract class Attachment;
