namespace TwoNodes;

/// <summary>What came of one wave of callers on all nodes.</summary>
/// <param name="Name">What the wave shows.</param>
/// <param name="Callers">How many asked.</param>
/// <param name="Reports">What they got, node by node. Killed nodes do not report.</param>
/// <param name="Calls">The calls that reached the endpoint.</param>
/// <param name="Expected">How many these should be.</param>
/// <param name="Time">How long the wave lasted, from when all had asked.</param>
internal sealed record Wave(string Name, int Callers, IReadOnlyList<RegionReport> Reports, IReadOnlyList<UpstreamCall> Calls, int Expected, TimeSpan Time)
{
    public int Failed => Reports.Sum(static report => report.Errors.Length);

    public int Answered => Reports.Sum(static report => report.Callers) - Failed;

    /// <summary>The callers on nodes that were killed.</summary>
    public int Lost => Callers - Reports.Sum(static report => report.Callers);

    /// <summary>How much longer than the endpoint takes the slowest caller has waited.</summary>
    public TimeSpan Extra => Reports.Max(static report => report.Slowest - Region.All.Single(region => region.Name == report.Region).Delay);

    /// <summary>How many different tokens there were for a region, at most.</summary>
    public int TokensPerRegion => Reports.GroupBy(static report => report.Region).Max(static region => region.SelectMany(static report => report.Tokens).Distinct().Count());

    /// <summary>Whether a caller got a token of another region.</summary>
    public bool IsMixedUp => Reports.Any(static report => report.Tokens.Any(token => !token.StartsWith(report.Region + "/", StringComparison.Ordinal)));
}
