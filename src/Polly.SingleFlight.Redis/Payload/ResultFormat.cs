using System.Buffers;
using Microsoft.Extensions.Caching.Hybrid;

namespace Polly.SingleFlight.Redis.Payload;

/// <summary>Writes results of one type for other nodes, and reads them.</summary>
internal abstract class ResultFormat<TActual>
{
    /// <summary>The name of the serializer, which is part of a flight's identity.</summary>
    public abstract string Name { get; }

    /// <summary>Writes a result that is not null. Throws what the serializer throws.</summary>
    /// <returns>The bytes, or null if another node would not read the same result from them.</returns>
    public abstract ReadOnlyMemory<byte>? Write(TActual value);

    /// <summary>Reads a result. Throws what the serializer throws.</summary>
    public abstract TActual Read(ReadOnlyMemory<byte> data);

    /// <summary>The format of results of an execution, whose type may be derived from that of the pipeline.</summary>
    public static ResultFormat<TActual> Create<TResult>(DistributedSingleFlightStrategyOptions<TResult> options) =>
        options.Serializer is { } serializer ? new SerializerFormat<TResult, TActual>(serializer)
        : options.JsonTypeInfo is { } typeInfo ? new JsonTypeInfoFormat<TResult, TActual>(typeInfo)
        : ReflectionJsonFormat.Create<TActual>();
}

/// <summary>Results as the serializer of the options writes them.</summary>
internal sealed class SerializerFormat<TResult, TActual>(IHybridCacheSerializer<TResult> serializer) : ResultFormat<TActual>
{
    public override string Name { get; } = serializer.GetType().ToString();

    public override ReadOnlyMemory<byte>? Write(TActual value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        serializer.Serialize((TResult)(object)value!, buffer);
        return buffer.WrittenMemory;
    }

    public override TActual Read(ReadOnlyMemory<byte> data) => (TActual)(object)serializer.Deserialize(new ReadOnlySequence<byte>(data))!;
}
