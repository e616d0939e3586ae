namespace HttpClientDemo;

/// <summary>Checks what the demo promises, answer by answer.</summary>
internal sealed class Inspection(WavePlan plan, Wave wave, UpstreamCount upstream)
{
    /// <summary>What did not hold; empty when everything did.</summary>
    public IReadOnlyList<string> FindFaults() =>
        [.. wave.Tallies.Where(tally => tally.Callers > 0).SelectMany(FindFaults)];

    private IEnumerable<string> FindFaults(RegionTally tally)
    {
        var region = tally.Region;
        Answer[] wrong = [.. tally.GetAnswers().Where(answer => !IsRight(region, answer))];
        if (wrong.Length > 0)
        {
            yield return $"{wrong.Length} of {tally.Callers} callers in {region.Name} did not get "
                + (region.IsSupported ? "a token of their own" : "the error that says so") + $", the first got {Describe(wrong[0])}";
        }

        var calls = upstream.CallsFor(region);
        if (plan.Calls is { } planned && calls != (region.IsSupported ? planned : 1))
        {
            yield return $"{region.Name} was called {calls} times instead of {(region.IsSupported ? planned : 1)}";
        }

        if (plan.IsCached && tally.CountWaiters() is > 0 and var waiters)
        {
            yield return $"{waiters} callers in {region.Name} waited";
        }
    }

    private static bool IsRight(Region region, Answer answer) =>
        region.IsSupported
            ? answer.Token is { } token && token.Value.StartsWith($"{Wave.Business}/{region.Name}/", StringComparison.Ordinal)
            : answer.Error is TokenRequestException { Error: "invalid_request" } error && error.Message.Contains(region.Name, StringComparison.Ordinal);

    private static string Describe(Answer answer) =>
        answer.Error is null ? $"'{answer.Token?.Value}'" : $"{answer.Error.GetType().Name}: {answer.Error.Message}";
}
