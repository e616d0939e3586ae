namespace Polly.SingleFlight.Http;

/// <summary>Makes the text by which URIs are compared: absolute, escaped, and without the fragment, which is not sent.</summary>
internal static class UriText
{
    public static string Of(Uri uri)
    {
        var text = uri.AbsoluteUri;
        var fragment = uri.Fragment.Length;
        return fragment == 0 ? text : text[..^fragment];
    }
}
