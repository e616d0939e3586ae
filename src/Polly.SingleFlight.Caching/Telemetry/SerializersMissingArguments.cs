namespace Polly.SingleFlight.Caching.Telemetry;

/// <summary>Says what to write.</summary>
internal sealed record SerializersMissingArguments
{
    public const string Advice =
        "Entries cannot be serialized without bypassing the serializers that are registered for results. They stay in the memory of the process and are handed out by reference, " +
        "unless the cache writes them with a serializer of its own. Add services.AddSingleFlightCacheSerializers() beside services.AddHybridCache().";

    public override string ToString() => Advice;
}
