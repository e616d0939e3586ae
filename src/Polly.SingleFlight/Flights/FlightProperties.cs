using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Polly.SingleFlight.Flights;

/// <summary>
/// The properties of the flight's own context, while they are but the key and the flight, as they are for most flights to their end. The first that
/// somebody writes moves them to the dictionary that the context came with. A base of the flight, which saves an object per flight.
/// </summary>
internal abstract class FlightProperties : CancellationTokenSource, IDictionary<string, object?>
{
    /// <summary>Whether the flight is among them, for code further inside to find (S11).</summary>
    private readonly bool _namesFlight;

    /// <summary>The dictionary that the flight stands in for; null while it stands in for none.</summary>
    private IDictionary<string, object?>? _replaced;

    private bool _isWritten;

    protected FlightProperties(object key, bool namesFlight)
    {
        Key = key;
        _namesFlight = namesFlight;
    }

    /// <summary>The key; given up when the flight ends.</summary>
    public object Key { get; protected set; }

    /// <summary>Takes the place of a context's empty dictionary. The context's properties are to be exchanged for this flight.</summary>
    public void ReplaceProperties(IDictionary<string, object?> empty) => _replaced = empty;

    /// <summary>The dictionary to be given back to the context; null if it still has its own.</summary>
    public IDictionary<string, object?>? TakeReplaced()
    {
        var replaced = _replaced;
        _replaced = null;
        return replaced;
    }

    /// <summary>Whether the properties are this flight, and but the two it began with.</summary>
    public bool IsUnwritten(IDictionary<string, object?> properties) => !_isWritten && ReferenceEquals(properties, this);

    /// <summary>The dictionary that holds the properties, which are not unwritten.</summary>
    public IDictionary<string, object?> PropertiesIn(IDictionary<string, object?> properties) => ReferenceEquals(properties, this) ? Written : properties;

    ICollection<string> IDictionary<string, object?>.Keys => Written.Keys;

    ICollection<object?> IDictionary<string, object?>.Values => Written.Values;

    int ICollection<KeyValuePair<string, object?>>.Count => _isWritten ? Written.Count : _namesFlight ? 2 : 1;

    bool ICollection<KeyValuePair<string, object?>>.IsReadOnly => false;

    object? IDictionary<string, object?>.this[string name]
    {
        get => TryGet(name, out var value) ? value : throw new KeyNotFoundException();
        set
        {
            // Strategies that copy properties to and fro write what is there already.
            if (!TryGet(name, out var known) || !ReferenceEquals(known, value))
            {
                Written[name] = value;
            }
        }
    }

    /// <summary>The dictionary, from which on it holds the properties.</summary>
    private IDictionary<string, object?> Written
    {
        get
        {
            var entries = _replaced ??= new Dictionary<string, object?>();
            if (!_isWritten)
            {
                entries[ContextProperties.Key.Key] = Key;
                if (_namesFlight)
                {
                    entries[ContextProperties.Flight.Key] = this;
                }

                _isWritten = true;
            }

            return entries;
        }
    }

    bool IDictionary<string, object?>.TryGetValue(string key, [MaybeNullWhen(false)] out object? value) => TryGet(key, out value);

    bool IDictionary<string, object?>.ContainsKey(string key) => TryGet(key, out _);

    void IDictionary<string, object?>.Add(string key, object? value) => Written.Add(key, value);

    bool IDictionary<string, object?>.Remove(string key) => Written.Remove(key);

    void ICollection<KeyValuePair<string, object?>>.Add(KeyValuePair<string, object?> item) => Written.Add(item);

    void ICollection<KeyValuePair<string, object?>>.Clear() => Written.Clear();

    bool ICollection<KeyValuePair<string, object?>>.Contains(KeyValuePair<string, object?> item) => Written.Contains(item);

    void ICollection<KeyValuePair<string, object?>>.CopyTo(KeyValuePair<string, object?>[] array, int arrayIndex) => Written.CopyTo(array, arrayIndex);

    bool ICollection<KeyValuePair<string, object?>>.Remove(KeyValuePair<string, object?> item) => Written.Remove(item);

    IEnumerator<KeyValuePair<string, object?>> IEnumerable<KeyValuePair<string, object?>>.GetEnumerator() => Written.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => Written.GetEnumerator();

    private bool TryGet(string name, out object? value)
    {
        if (_isWritten)
        {
            return Written.TryGetValue(name, out value);
        }

        if (name == ContextProperties.Key.Key)
        {
            value = Key;
            return true;
        }

        value = name == ContextProperties.Flight.Key && _namesFlight ? this : null;
        return value is not null;
    }
}
