using System.Net.Http.Headers;

namespace Polly.SingleFlight.Http;

/// <summary>
/// A copy of the header fields of a message, unparsed and with the malformed ones. Later changes of the message do not reach it (I6).
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

    /// <summary>Computes a hash of the fields that are not excluded. Their order does not count.</summary>
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

    /// <summary>Whether the fields that are not excluded are equal. Their order does not count, and each name occurs once.</summary>
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

    /// <summary>Whether the field at an index has this name and this one value. After false, the field may be at another index.</summary>
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

    /// <summary>Returns the values of a field, as a string or an array of strings; null if there is no such field.</summary>
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
