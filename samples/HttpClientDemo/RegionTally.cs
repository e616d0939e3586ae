namespace HttpClientDemo;

/// <summary>Counts the callers of one region while they come and go.</summary>
internal sealed class RegionTally(Region region)
{
    private readonly Lock _gate = new();
    private readonly List<Answer> _answers = [];
    private int _callers;

    public Region Region { get; } = region;

    /// <summary>How many callers have arrived.</summary>
    public int Callers => Volatile.Read(ref _callers);

    public void Arrive() => Interlocked.Increment(ref _callers);

    public void Add(Answer answer)
    {
        lock (_gate)
        {
            _answers.Add(answer);
        }
    }

    /// <summary>How many callers were not answered at once.</summary>
    public int CountWaiters() => GetAnswers().Count(static answer => answer.HasWaited);

    /// <summary>The answers so far.</summary>
    public IReadOnlyList<Answer> GetAnswers()
    {
        lock (_gate)
        {
            return [.. _answers];
        }
    }
}
