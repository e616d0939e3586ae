using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Polly.SingleFlight.Redis.Payload;

/// <summary>Results as System.Text.Json writes them, checked by reading them back: it leaves out what it has no setter for, or does not see, without a word.</summary>
internal abstract class JsonFormat<TActual> : ResultFormat<TActual>
{
    public override ReadOnlyMemory<byte>? Write(TActual value)
    {
        var written = Serialize(value);
        if (IsExact(typeof(TActual)))
        {
            return written;
        }

        // A class that was derived from the declared one would come back as the declared one.
        var again = Deserialize(written);
        return again is not null
            && (typeof(TActual).IsInterface || again.GetType() == value!.GetType())
            && written.AsSpan().SequenceEqual(Serialize(again))
            && !IsEmptyObject(written, value!.GetType()) ? written : (ReadOnlyMemory<byte>?)null;
    }

    public override TActual Read(ReadOnlyMemory<byte> data) => Deserialize(data.Span);

    protected abstract byte[] Serialize(TActual value);

    protected abstract TActual Deserialize(ReadOnlySpan<byte> data);

    private static bool IsExact(Type type) => type.IsPrimitive || type == typeof(string) || type == typeof(Guid) || type == typeof(decimal);

    /// <summary>Whether nothing was written of an object that may have something.</summary>
    private static bool IsEmptyObject(byte[] written, Type type) =>
        written.AsSpan().SequenceEqual("{}"u8) && HoldsState(type);

    private static bool HoldsState(Type type) =>
        !typeof(System.Collections.IEnumerable).IsAssignableFrom(type) && (type.IsValueType ? type != typeof(ValueTuple) : type != typeof(object)) && HasFields(type);

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "A field that was trimmed away is not used.")]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "As above.")]
    private static bool HasFields(Type type)
    {
        for (var level = type; level is not null; level = level.BaseType)
        {
            if (level.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly).Length > 0)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>JSON with generated code.</summary>
internal sealed class JsonTypeInfoFormat<TResult, TActual>(JsonTypeInfo<TResult> typeInfo) : JsonFormat<TActual>
{
    /// <summary>Contexts may spell names of properties differently.</summary>
    public override string Name { get; } = $"json {typeInfo.OriginatingResolver?.GetType()} {typeInfo.Options.PropertyNamingPolicy?.GetType()}";

    protected override byte[] Serialize(TActual value) => JsonSerializer.SerializeToUtf8Bytes((TResult)(object)value!, typeInfo);

    protected override TActual Deserialize(ReadOnlySpan<byte> data) => (TActual)(object)JsonSerializer.Deserialize(data, typeInfo)!;
}
