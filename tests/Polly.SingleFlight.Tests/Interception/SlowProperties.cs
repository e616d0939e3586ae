using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Polly.SingleFlight.Tests.Interception;

/// <summary>Properties of a context, during the first write of one of which something else happens.</summary>
internal sealed class SlowProperties(string name, Action meanwhile) : IDictionary<string, object?>
{
    private readonly Dictionary<string, object?> _entries = [];
    private Action? _meanwhile = meanwhile;

    public ICollection<string> Keys => _entries.Keys;

    public ICollection<object?> Values => _entries.Values;

    public int Count => _entries.Count;

    public bool IsReadOnly => false;

    public object? this[string key]
    {
        get => _entries[key];
        set
        {
            if (key == name && Interlocked.Exchange(ref _meanwhile, null) is { } action)
            {
                action();
            }

            _entries[key] = value;
        }
    }

    public void Add(string key, object? value) => _entries.Add(key, value);

    public bool ContainsKey(string key) => _entries.ContainsKey(key);

    public bool Remove(string key) => _entries.Remove(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out object? value) => _entries.TryGetValue(key, out value);

    public void Add(KeyValuePair<string, object?> item) => _entries.Add(item.Key, item.Value);

    public void Clear() => _entries.Clear();

    public bool Contains(KeyValuePair<string, object?> item) => _entries.Contains(item);

    public void CopyTo(KeyValuePair<string, object?>[] array, int arrayIndex) => ((ICollection<KeyValuePair<string, object?>>)_entries).CopyTo(array, arrayIndex);

    public bool Remove(KeyValuePair<string, object?> item) => _entries.Remove(item.Key);

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _entries.GetEnumerator();
}
