namespace Polly.SingleFlight.Http;

/// <summary>How URIs are compared: absolute, escaped, without the fragment, which is never sent.</summary>
internal static class UriText
{
    public static string Of(Uri uri)
    {
        var text = uri.AbsoluteUri;
        var fragment = uri.Fragment.Length;
        return fragment == 0 ? text : text[..^fragment];
    }
}
