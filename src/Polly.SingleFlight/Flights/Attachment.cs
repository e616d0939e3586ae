namespace Polly.SingleFlight.Flights;

/// <summary>What a caller brings along, for whoever gives it a result of its own.</summary>
internal abstract class Attachment
{
    /// <summary>The rules that the caller plays by. Only callers with equal rules share a flight, whatever their keys.</summary>
    public abstract object Realm { get; }
}
