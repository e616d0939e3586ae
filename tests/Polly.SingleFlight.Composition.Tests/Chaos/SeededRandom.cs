namespace Polly.SingleFlight.Composition.Tests.Chaos;

/// <summary>One seeded source for everything that is left to chance, used from many threads.</summary>
internal sealed class SeededRandom(int seed)
{
    private readonly Random _random = new(seed);

    public double NextDouble()
    {
        lock (_random)
        {
            return _random.NextDouble();
        }
    }

    public int Next(int limit)
    {
        lock (_random)
        {
            return _random.Next(limit);
        }
    }
}
