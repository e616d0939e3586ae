namespace TwoNodes;

/// <summary>What the callers of one node got for one region.</summary>
/// <param name="Region">The name of the region.</param>
/// <param name="Callers">How many asked.</param>
/// <param name="Errors">What those got who did not get a token.</param>
/// <param name="Tokens">The different tokens that the others got.</param>
/// <param name="Slowest">How long the last one waited.</param>
internal sealed record RegionReport(string Region, int Callers, string[] Errors, string[] Tokens, TimeSpan Slowest);
