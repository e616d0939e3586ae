namespace Polly.SingleFlight.Caching.Storage;

/// <summary>The beginning of the keys of one result type, made once for the scope that used it last.</summary>
internal static class TypePrefix<TResult>
{
    /// <summary>One object, so that no thread sees the scope of one and the text of another.</summary>
    private static volatile KeyPrefix? s_last;

    public static KeyPrefix Of(string scope)
    {
        if (s_last is { } last && ReferenceEquals(last.Scope, scope))
        {
            return last;
        }

        return s_last = new KeyPrefix(scope, typeof(TResult));
    }
}
