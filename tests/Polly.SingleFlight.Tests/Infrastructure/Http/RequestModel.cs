namespace Polly.SingleFlight.Tests.Infrastructure.Http;

/// <summary>A request as data, and what makes two requests the same: the oracle of the key.</summary>
internal sealed record RequestModel(
    string Method, string Uri, string Version, HttpVersionPolicy Policy, RequestModel.Field[] Headers, string Body, object Discriminator)
{
    public static readonly HttpRequestOptionsKey<object> DiscriminatorKey = new("test.discriminator");

    public HttpRequestMessage ToMessage()
    {
        var request = new HttpRequestMessage(new HttpMethod(Method), Uri)
        {
            Version = System.Version.Parse(Version),
            VersionPolicy = Policy,
            Content = Method == "POST" ? new ByteArrayContent([.. Body.SelectMany(static c => BitConverter.GetBytes(c))]) : null,
        };
        request.Options.Set(DiscriminatorKey, Discriminator);
        foreach (var (name, value) in Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    /// <summary>Compares the messages, since not every value that is added to one stays as it is.</summary>
    public static bool AreTheSame(HttpRequestMessage one, HttpRequestMessage other, ICollection<string> excluded) =>
        one.Method == other.Method
        && WithoutFragment(one) == WithoutFragment(other)
        && one.Version == other.Version
        && one.VersionPolicy == other.VersionPolicy
        && Fields(one, excluded).SequenceEqual(Fields(other, excluded))
        && Bytes(one).SequenceEqual(Bytes(other))
        && one.Options.TryGetValue(DiscriminatorKey, out var left)
        && other.Options.TryGetValue(DiscriminatorKey, out var right)
        && left.Equals(right);

    public override string ToString() => string.Join(
        " ",
        [Method, Uri, Version, Policy.ToString(), .. Headers.Select(static header => $"[{Show(header.Name)}: {Show(header.Value)}]"), Show(Body), $"{Discriminator.GetType().Name} {Discriminator}"]);

    private static string WithoutFragment(HttpRequestMessage request) => request.RequestUri!.AbsoluteUri.Split('#')[0];

    private static IEnumerable<(string Name, string Value)> Fields(HttpRequestMessage request, ICollection<string> excluded) =>
        request.Headers.NonValidated
            .Where(header => !excluded.Contains(header.Key))
            .OrderBy(static header => header.Key, StringComparer.OrdinalIgnoreCase)
            .SelectMany(static header => header.Value, static (header, value) => (header.Key.ToUpperInvariant(), value));

    private static byte[] Bytes(HttpRequestMessage request)
    {
        using var stream = request.Content?.ReadAsStream();
        using var copy = new MemoryStream();
        stream?.CopyTo(copy);
        return copy.ToArray();
    }

    private static string Show(string text) => string.Concat(text.Select(static c => c is > ' ' and < '\x7f' ? c.ToString() : $"\\u{(int)c:x4}"));

    internal sealed record Field(string Name, string Value);
}
