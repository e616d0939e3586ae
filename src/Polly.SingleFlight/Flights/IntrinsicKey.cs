namespace Polly.SingleFlight.Flights;

/// <summary>A key that this library made. It knows itself when it equals another; no group's comparer is asked.</summary>
internal abstract class IntrinsicKey
{
    /// <summary>Compares keys with the comparer of a group, save those that this library made.</summary>
    public static IEqualityComparer<object> Respecting(IEqualityComparer<object> comparer) => new Comparer(comparer);

    /// <summary>The equal key of another caller's, for the flight that this caller leads after the one that this key is of.</summary>
    public virtual IntrinsicKey For(Attachment? attachment) => this;

    /// <summary>Called when the flight of the key has ended: whoever still has the key, from a snapshot say, is not to hold the request with it.</summary>
    public virtual void GiveUp()
    {
    }

    private sealed class Comparer(IEqualityComparer<object> comparer) : IEqualityComparer<object>
    {
        public new bool Equals(object? x, object? y) => x is IntrinsicKey || y is IntrinsicKey ? object.Equals(x, y) : comparer.Equals(x, y);

        public int GetHashCode(object key) => key is IntrinsicKey ? key.GetHashCode() : comparer.GetHashCode(key);
    }
}
