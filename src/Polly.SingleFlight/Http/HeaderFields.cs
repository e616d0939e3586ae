using System.Net.Http.Headers;

namespace Polly.SingleFlight.Http;

/// <summary>
/// Header fields as they stood in a message at one moment: unparsed, malformed ones included, and out of reach of whoever
/// changes or disposes the message later (I6).
/// </summary>
internal readonly struct HeaderFields
{
    private readonly HeaderField[]? _fields;

    public HeaderFields(HttpHeaders headers)
    {
        var source = headers.NonValidated;
        if (source.Count == 0)
        {
            return;
        }

        _fields = new HeaderField[source.Count];
        var index = 0;
        foreach (var (name, values) in source)
        {
            _fields[index++] = new HeaderField(name, values);
        }
    }

    public ReadOnlySpan<HeaderField> Span => _fields;

    public void AddTo(HttpHeaders headers)
    {
        foreach (ref readonly var field in Span)
        {
            field.AddTo(headers);
        }
    }

    /// <summary>A hash of all fields but some, in whatever order they are.</summary>
    public int Hash(HeaderNames excluded)
    {
        var hash = 0;
        foreach (ref readonly var field in Span)
        {
            if (!excluded.Contains(field.Name))
            {
                hash += HashCode.Combine(field.Name.Length, field.HashOfValues());
            }
        }

        return hash;
    }

    /// <summary>Whether the other fields are the same in all but some, in whatever order they are. A name occurs once.</summary>
    public bool AreEqual(HeaderFields other, HeaderNames excluded)
    {
        var missing = 0;
        foreach (ref readonly var field in other.Span)
        {
            missing += excluded.Contains(field.Name) ? 0 : 1;
        }

        foreach (ref readonly var field in Span)
        {
            if (excluded.Contains(field.Name))
            {
                continue;
            }

            if (!field.HasValues(other.ValuesOf(field.Name)))
            {
                return false;
            }

            missing--;
        }

        return missing == 0;
    }

    /// <summary>Whether the field at a place has this name and this one value, unchanged. False proves nothing.</summary>
    public bool IsAt(int index, string name, in HeaderStringValues values)
    {
        var fields = Span;
        if (index >= fields.Length || fields[index].Name != name || values.Count != 1 || fields[index].Values is not string known)
        {
            return false;
        }

        var only = values.GetEnumerator();
        return only.MoveNext() && only.Current == known;
    }

    /// <summary>The values of a field, a string or an array of strings; null when the message does not have it.</summary>
    public object? ValuesOf(ReadOnlySpan<char> name)
    {
        foreach (ref readonly var field in Span)
        {
            if (name.Equals(field.Name, StringComparison.OrdinalIgnoreCase))
            {
                return field.Values;
            }
        }

        return null;
    }
}
