namespace FlightRecorder;

/// <summary>The counts of a section. Guarded by the lock of the recorder.</summary>
internal sealed class SectionCounts(string name, DateTimeOffset start)
{
    public long Flights { get; set; }

    public long Leaders { get; set; }

    public long Followers { get; set; }

    public long Bypassed { get; set; }

    public long CacheHits { get; set; }

    public long Refreshes { get; set; }

    public bool IsEmpty => Flights + Leaders + Followers + Bypassed + CacheHits + Refreshes == 0;

    public RecordedSection ToRecord() => new(name, start, Flights, Leaders, Followers, Bypassed, CacheHits, Refreshes);
}

/// <summary>The latest sections. Guarded by the lock of the recorder.</summary>
internal sealed class SectionLog
{
    /// <summary>Name of what happens before the application begins a section.</summary>
    private const string Unnamed = "recording";

    private readonly LinkedList<SectionCounts> _sections = [];
    private readonly int _max;

    public SectionLog(RecorderOptions options, DateTimeOffset start)
    {
        _max = Math.Max(1, options.MaxSections);
        _sections.AddLast(new SectionCounts(Unnamed, start));
        IsUnnamed = true;
    }

    public SectionCounts Current => _sections.Last!.Value;

    public long Dropped { get; private set; }

    private bool IsUnnamed { get; set; }

    public void Begin(string name, DateTimeOffset start)
    {
        // Nothing has happened before the first: the report need not show it.
        if (IsUnnamed && Current.IsEmpty)
        {
            _sections.RemoveLast();
        }

        IsUnnamed = false;
        _sections.AddLast(new SectionCounts(name, start));
        if (_sections.Count > _max)
        {
            _sections.RemoveFirst();
            Dropped++;
        }
    }

    public IReadOnlyList<RecordedSection> ToRecords() => [.. _sections.Select(static section => section.ToRecord())];
}
