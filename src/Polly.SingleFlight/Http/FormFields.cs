namespace Polly.SingleFlight.Http;

/// <summary>
/// The fields of an <c>application/x-www-form-urlencoded</c> body (WHATWG URL, 5.1), decoded to bytes and sorted.
/// </summary>
internal sealed class FormFields : IEquatable<FormFields>
{
    private readonly byte[] _decoded;
    private readonly List<Field> _fields;

    private FormFields(byte[] decoded, List<Field> fields)
    {
        _decoded = decoded;
        _fields = fields;
    }

    /// <summary>Decodes a form. Returns null if it is malformed.</summary>
    public static FormFields? Parse(ReadOnlySpan<byte> body)
    {
        var decoded = new byte[body.Length];
        var fields = new List<Field>();
        var written = 0;
        for (var rest = body; ;)
        {
            var end = rest.IndexOf((byte)'&');
            var pair = end < 0 ? rest : rest[..end];
            var equals = pair.IndexOf((byte)'=');
            var start = written;
            if (!TryDecode(equals < 0 ? pair : pair[..equals], decoded, ref written))
            {
                return null;
            }

            var middle = written;
            if (equals >= 0 && !TryDecode(pair[(equals + 1)..], decoded, ref written))
            {
                return null;
            }

            fields.Add(new Field(start, middle, written));
            if (end < 0)
            {
                break;
            }

            rest = rest[(end + 1)..];
        }

        var form = new FormFields(decoded, fields);
        fields.Sort(form.Compare);
        return form;
    }

    /// <summary>Whether the form has exactly one grant type, which is client credentials (RFC 6749, 4.4.2).</summary>
    public bool IsClientCredentialsGrant()
    {
        var grants = 0;
        var isClientCredentials = false;
        foreach (var field in _fields)
        {
            if (Name(field).SequenceEqual("grant_type"u8))
            {
                grants++;
                isClientCredentials = Value(field).SequenceEqual("client_credentials"u8);
            }
        }

        return grants == 1 && isClientCredentials;
    }

    /// <summary>Whether the other form has the same fields, in any order.</summary>
    public bool Equals(FormFields? other)
    {
        if (other is null || _fields.Count != other._fields.Count)
        {
            return false;
        }

        for (var i = 0; i < _fields.Count; i++)
        {
            if (!Name(_fields[i]).SequenceEqual(other.Name(other._fields[i])) || !Value(_fields[i]).SequenceEqual(other.Value(other._fields[i])))
            {
                return false;
            }
        }

        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as FormFields);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var field in _fields)
        {
            hash.AddBytes(Name(field));
            hash.AddBytes(Value(field));
        }

        return hash.ToHashCode();
    }

    public void AddTo(ref KeyDigest digest)
    {
        digest.Add(_fields.Count);
        foreach (var field in _fields)
        {
            digest.Add(Name(field));
            digest.Add(Value(field));
        }
    }

    private static bool TryDecode(ReadOnlySpan<byte> encoded, byte[] decoded, ref int written)
    {
        for (var i = 0; i < encoded.Length; i++)
        {
            var next = encoded[i];
            if (next == '+')
            {
                next = (byte)' ';
            }
            else if (next == '%')
            {
                if (i + 2 >= encoded.Length || !TryHex(encoded[i + 1], out var high) || !TryHex(encoded[i + 2], out var low))
                {
                    return false;
                }

                next = (byte)((high << 4) | low);
                i += 2;
            }

            decoded[written++] = next;
        }

        return true;
    }

    private static bool TryHex(byte digit, out int value)
    {
        value = digit switch
        {
            >= (byte)'0' and <= (byte)'9' => digit - '0',
            >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
            >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
            _ => -1,
        };
        return value >= 0;
    }

    private int Compare(Field left, Field right)
    {
        var byName = Name(left).SequenceCompareTo(Name(right));
        return byName != 0 ? byName : Value(left).SequenceCompareTo(Value(right));
    }

    private ReadOnlySpan<byte> Name(Field field) => _decoded.AsSpan(field.Start, field.Middle - field.Start);

    private ReadOnlySpan<byte> Value(Field field) => _decoded.AsSpan(field.Middle, field.End - field.Middle);

    private readonly record struct Field(int Start, int Middle, int End);
}
