namespace HttpClientDemo;

/// <summary>What came of a wave.</summary>
/// <param name="Wave">The wave.</param>
/// <param name="Answers">What the callers got, the quickest first.</param>
/// <param name="Calls">Requests that arrived at the endpoint.</param>
internal sealed record Result(Wave Wave, IReadOnlyList<Answer> Answers, int Calls)
{
    public int Callers => Answers.Count;

    public int Left { get; } = Answers.Count(static answer => answer.Error is OperationCanceledException);

    /// <summary>How long those waited who stayed, the quickest first.</summary>
    public IReadOnlyList<TimeSpan> Waits { get; } =
        [.. Answers.Where(static answer => answer.Error is not OperationCanceledException).Select(static answer => answer.Wait)];

    public override string ToString()
    {
        var text = $"{Wave.Title}: {Callers} callers, {Calls} upstream calls";
        return Wave switch
        {
            { IsRefused: true } => $"{Wave.Title}: {Callers} callers refused, upstream calls: {Calls}, error: {Answers[0].Error?.Message}",
            { RefreshesTokens: true } => $"{text}, {Answers.Count(static answer => answer.HasWaited)} callers waited",
            _ => Left > 0 ? $"{text}, {Left} callers left" : text,
        };
    }
}
