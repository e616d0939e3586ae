namespace Polly.SingleFlight.Soak;

/// <summary>SplitMix64: small, fast, and the same on every runtime.</summary>
internal struct Rng(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public int Below(int bound) => (int)((Next() >> 32) * (ulong)bound >> 32);

    /// <summary>True with a probability of so many in a thousand.</summary>
    public bool PerMille(int chance) => Below(1000) < chance;
}
