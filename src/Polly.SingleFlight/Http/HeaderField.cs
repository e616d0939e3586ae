using System.Net.Http.Headers;
using System.Text;

namespace Polly.SingleFlight.Http;

/// <summary>A header field: its name, and its values as a string if there is one, or else as an array.</summary>
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
    /// Whether values are equal apart from spaces around commas and semicolons, and from being one string or several. The typed properties of
    /// <see cref="HttpHeaders"/> change values in these two ways when they are read.
    /// </summary>
    public static bool MeanTheSame(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (null, _) or (_, null) => false,
        (string one, string other) when one == other => true,
        _ => Compact(left) == Compact(right),
    };

    public int HashOfValues()
    {
        if (Values is string only)
        {
            return only.GetHashCode(StringComparison.Ordinal);
        }

        var hash = default(HashCode);
        foreach (var value in (string[])Values)
        {
            hash.Add(value);
        }

        return hash.ToHashCode();
    }

    /// <summary>Whether the values are equal, each one and in order.</summary>
    public bool HasValues(object? values) => (Values, values) switch
    {
        (string one, string other) => one == other,
        (string[] some, string[] others) => some.AsSpan().SequenceEqual(others),
        _ => false,
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

    /// <summary>Removes the spaces around separators. Spaces in quotes belong to the value (RFC 9110, 5.6).</summary>
    private static string Compact(object values)
    {
        var text = values as string ?? string.Join(',', (string[])values);
        var compact = new StringBuilder(text.Length);
        var spaces = 0;
        var isQuoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            var next = text[i];
            if (!isQuoted && IsSpace(next))
            {
                spaces++;
                continue;
            }

            if (!IsSeparator(next) && compact.Length > 0 && !IsSeparator(compact[^1]))
            {
                compact.Append(text, i - spaces, spaces);
            }

            spaces = 0;
            compact.Append(next);
            isQuoted ^= next == '"';
            if (isQuoted && next == '\\' && i + 1 < text.Length)
            {
                compact.Append(text[++i]);
            }
        }

        return compact.ToString();

        bool IsSeparator(char character) => !isQuoted && character is ',' or ';';
    }

    private static bool IsSpace(char character) => character is ' ' or '\t';

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
