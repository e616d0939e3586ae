namespace Polly.SingleFlight.Redis.Payload;

/// <summary>What a leader hands over.</summary>
/// <param name="Content">What it is.</param>
/// <param name="Reason">Why nothing is handed over.</param>
/// <param name="Ages">How old the result is.</param>
/// <param name="Data">What the serializer has written.</param>
internal readonly record struct HandedOver(OutcomeContent Content, DistributedBypassReason Reason, ResultAges Ages, ReadOnlyMemory<byte> Data)
{
    /// <summary>Registrations later than this, in microseconds of the server's clock, do not receive it; 0 for none.</summary>
    public long Cutoff { get; init; }

    public static HandedOver Nothing(DistributedBypassReason reason) => new(OutcomeContent.Nothing, reason, default, default);
}
