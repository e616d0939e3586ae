namespace Polly.SingleFlight.Flights;

/// <summary>Sharing data of one caller. Its type depends on the kind of result, and the engine does not read it.</summary>
internal abstract class Attachment;
