namespace Polly.SingleFlight.Caching.Serialization;

/// <summary>An object that notices who serializes it.</summary>
internal sealed class SerializerProbe
{
    /// <summary>Whether the serializer of this package was given it.</summary>
    internal bool IsWrittenBySerializer { get; set; }

    /// <summary>Whether a serializer has read <see cref="Number"/>.</summary>
    internal bool IsRead { get; private set; }

    /// <summary>Gets a number for serializers that write properties.</summary>
    public int Number
    {
        get
        {
            IsRead = true;
            return 0;
        }
    }
}
