using System.Net;

namespace HttpClientDemo;

/// <summary>Compares what came of a wave with what it promises.</summary>
internal static class Promise
{
    /// <summary>What did not hold.</summary>
    public static IEnumerable<string> Check(Result result, IReadOnlyDictionary<Region, int> calls, int? callsPerRegion)
    {
        var wave = result.Wave;
        foreach (var (region, made) in calls)
        {
            var answers = result.Answers.Where(answer => answer.Region == region).ToArray();
            var expected = callsPerRegion ?? answers.Length;
            if (made != expected)
            {
                yield return $"{wave.Title}: {region.Name} was called {made} times instead of {expected}";
            }

            if (Array.Find(answers, answer => !IsRight(wave, answer)) is { } wrong)
            {
                yield return $"{wave.Title}: a caller in {region.Name} got {wrong.Error?.Message ?? wrong.Token?.Value}";
            }
        }

        if (wave.NobodyWaits && result.Answers.Count(static answer => answer.HasWaited) is > 0 and var waited)
        {
            yield return $"{wave.Title}: {waited} callers waited";
        }
    }

    private static bool IsRight(Wave wave, Answer answer) => answer switch
    {
        { Error: OperationCanceledException } => wave.Patience > TimeSpan.Zero,
        { Error: HttpRequestException { StatusCode: HttpStatusCode.BadRequest } } => wave.IsRefused,
        { Token: { } token } => !wave.IsRefused && token.Value.StartsWith($"{Crowd.Business}/{answer.Region.Name}/", StringComparison.Ordinal),
        _ => false,
    };
}
