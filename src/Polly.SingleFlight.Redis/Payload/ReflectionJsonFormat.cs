using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Polly.SingleFlight.Redis.Payload;

/// <summary>JSON by reflection.</summary>
[RequiresUnreferencedCode("Serializes by reflection.")]
[RequiresDynamicCode("Serializes by reflection.")]
internal sealed class ReflectionJsonFormat<TActual>(JsonSerializerOptions options) : JsonFormat<TActual>
{
    public override string Name => "json";

    [UnconditionalSuppressMessage("Trimming", "IL2046", Justification = "The class says it.")]
    [UnconditionalSuppressMessage("AOT", "IL3051", Justification = "The class says it.")]
    protected override byte[] Serialize(TActual value) => JsonSerializer.SerializeToUtf8Bytes(value, options);

    [UnconditionalSuppressMessage("Trimming", "IL2046", Justification = "The class says it.")]
    [UnconditionalSuppressMessage("AOT", "IL3051", Justification = "The class says it.")]
    protected override TActual Deserialize(ReadOnlySpan<byte> data) => JsonSerializer.Deserialize<TActual>(data, options)!;
}

/// <inheritdoc cref="ReflectionJsonFormat{TActual}"/>
internal static class ReflectionJsonFormat
{
    /// <summary>Tuples have fields and no properties.</summary>
    private static readonly JsonSerializerOptions s_withFields = new() { IncludeFields = true };

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "An application that is trimmed sets JsonTypeInfo or Serializer; without them results are not shared there.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "As above.")]
    public static JsonFormat<TActual> Create<TActual>() =>
        new ReflectionJsonFormat<TActual>(typeof(TActual).IsAssignableTo(typeof(ITuple)) ? s_withFields : JsonSerializerOptions.Default);
}
