using System.Text;

namespace Polly.SingleFlight.Http;

/// <summary>
/// The rules by which an HTTP pipeline makes keys and shares responses. Callers of pipelines in one group meet only if their rules are equal.
/// Two functions are equal if they are the same method of the same object. The name of the pipeline counts, because two clients have different
/// handlers and connections.
/// </summary>
/// <param name="Pipeline">The name of the pipeline and its instance.</param>
/// <param name="Rules">The flags, the headers that are not in the key, and those that handlers inside may add.</param>
/// <param name="Discriminator">The function whose values are in the key.</param>
/// <param name="ShouldShare">The predicate that restricts sharing.</param>
internal sealed record HttpRealm((string? Name, string? Instance) Pipeline, string Rules, Delegate? Discriminator, Delegate? ShouldShare)
{
    public static HttpRealm Of(HttpSingleFlightStrategyOptions options, ResiliencePipelineBuilderBase builder)
    {
        var rules = new StringBuilder()
            .Append(options.ShareNoStoreResponses)
            .Append(options.ShareSetCookieResponses)
            .Append(options.GuardCredentials);
        Append(rules.Append("\nexcluded"), options.ExcludedHeaders);
        Append(rules.Append("\nharmless"), options.HarmlessHeaders);
        return new HttpRealm((builder.Name, builder.InstanceName), rules.ToString(), options.Discriminator, options.ShouldShare);
    }

    private static void Append(StringBuilder rules, IEnumerable<string> names)
    {
        foreach (var name in names.Select(static name => name.ToUpperInvariant()).Order(StringComparer.Ordinal))
        {
            rules.Append('\n').Append(name);
        }
    }
}
