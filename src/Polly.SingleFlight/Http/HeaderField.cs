using System.Net.Http.Headers;

namespace Polly.SingleFlight.Http;

/// <summary>A header field: its name, and its values as a string where there is one and an array where there are several.</summary>
internal readonly struct HeaderField
{
    public HeaderField(string name, in HeaderStringValues values)
    {
        Name = name;
        if (values.Count != 1)
        {
            Values = values.ToArray();
            return;
        }

        var only = values.GetEnumerator();
        only.MoveNext();
        Values = only.Current;
    }

    public string Name { get; }

    public object Values { get; }

    public int Count => Values is string ? 1 : ((string[])Values).Length;

    public string this[int index] => Values as string ?? ((string[])Values)[index];

    /// <summary>
    /// Whether values are the same but for the spaces between them, and for being one text or several: reading a header by its
    /// type takes it apart.
    /// </summary>
    public static bool MeanTheSame(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (null, _) or (_, null) => false,
        (string one, string other) when one == other => true,
        _ => Compact(left) == Compact(right),
    };

    public bool IsNamed(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a text occurs anywhere in the values.</summary>
    public bool Contains(string text)
    {
        for (var i = 0; i < Count; i++)
        {
            if (this[i].Contains(text, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static string Compact(object values) =>
        string.Concat((values as string ?? string.Join(',', (string[])values)).Where(static next => next is not (' ' or '\t')));

    public void AddTo(HttpHeaders headers)
    {
        if (Values is string value)
        {
            headers.TryAddWithoutValidation(Name, value);
        }
        else
        {
            headers.TryAddWithoutValidation(Name, (string[])Values);
        }
    }
}
