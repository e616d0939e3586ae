using System.Buffers;
using Microsoft.Extensions.Caching.Hybrid;
using Polly.SingleFlight.Redis.Payload;

namespace Polly.SingleFlight.Redis.Strategy;

/// <summary>Decides what is handed over, and reads what was. Nothing here throws.</summary>
internal sealed class HandOver<TResult>(DistributedSingleFlightStrategyOptions<TResult> options)
{
    private readonly Func<ShouldSharePredicateArguments<TResult>, ValueTask<bool>>? _shouldShare = options.ShouldShare;
    private readonly IHybridCacheSerializer<Exception>? _failures = options.ExceptionSerializer;
    private readonly int _most = options.MaxPayloadBytes;

    /// <summary>Writes an outcome, before the caller here gets it and may change it.</summary>
    public async ValueTask<HandedOver> WriteAsync<TActual>(ResultFormat<TActual> format, Outcome<TActual> outcome, ResultAges ages, ResilienceContext context)
    {
        var reason = outcome.Exception is null ? DistributedBypassReason.Unshared : DistributedBypassReason.Failed;
        if (outcome.Exception is { } failure && (_failures is null || !Outcomes.MayBeHandedOver(failure)))
        {
            return HandedOver.Nothing(reason);
        }

        try
        {
            if (_shouldShare is not null
                && !await _shouldShare(new ShouldSharePredicateArguments<TResult>(context, Outcomes.Up<TResult, TActual>(outcome)))
                    .ConfigureAwait(context.ContinueOnCapturedContext))
            {
                return HandedOver.Nothing(DistributedBypassReason.Unshared);
            }

            if (outcome.Exception is null && outcome.Result is null)
            {
                return new HandedOver(OutcomeContent.Null, default, ages, default);
            }

            var data = outcome.Exception is null ? format.Write(outcome.Result!) : WriteFailure(outcome.Exception);
            return data is { } bytes && bytes.Length <= _most
                ? new HandedOver(outcome.Exception is null ? OutcomeContent.Value : OutcomeContent.Failure, default, ages, bytes)
                : HandedOver.Nothing(reason);
        }
        catch (Exception)
        {
            return HandedOver.Nothing(reason);
        }
    }

    /// <summary>Reads an outcome; null if it cannot be read.</summary>
    public Outcome<TActual>? Read<TActual>(ResultFormat<TActual> format, in HandedOver handedOver)
    {
        try
        {
            return handedOver.Content switch
            {
                OutcomeContent.Value when format.Read(handedOver.Data) is { } value => Outcome.FromResult(value),
                OutcomeContent.Null when default(TActual) is null => Outcome.FromResult(default(TActual)!),
                OutcomeContent.Failure when _failures?.Deserialize(new ReadOnlySequence<byte>(handedOver.Data)) is { } failure => Outcome.FromException<TActual>(failure),
                _ => null,
            };
        }
        catch (Exception)
        {
            return null;
        }
    }

    private ReadOnlyMemory<byte> WriteFailure(Exception failure)
    {
        var buffer = new ArrayBufferWriter<byte>();
        _failures!.Serialize(failure, buffer);
        return buffer.WrittenMemory;
    }
}
