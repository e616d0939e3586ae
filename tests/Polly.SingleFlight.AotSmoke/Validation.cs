using System.ComponentModel.DataAnnotations;

namespace Polly.SingleFlight.AotSmoke;

/// <summary>Options are validated by reflection over their attributes, which the trimmer must have kept.</summary>
internal static class Validation
{
    public static Task InvalidOptionsAreNamed()
    {
        Refused(nameof(SingleFlightStrategyOptions.KeyGenerator), static options => options.KeyGenerator = null!);
        Refused(nameof(SingleFlightStrategyOptions.MaxJoinAge), static options => options.MaxJoinAge = TimeSpan.Zero);
        Refused(nameof(SingleFlightStrategyOptions.MaxElections), static options => options.MaxElections = -1);
        Refused(nameof(SingleFlightStrategyOptions.LeaderDeparture), static options => options.LeaderDeparture = (LeaderDeparture)42);
        return Task.CompletedTask;
    }

    public static Task InvalidTypedOptionsAreNamed()
    {
        RefusedTyped<string>(nameof(SingleFlightStrategyOptions.MaxElections), static options => options.MaxElections = -1);
        RefusedTyped<string>(nameof(SingleFlightStrategyOptions<>.UnsharedOutcome), static options => options.UnsharedOutcome = (UnsharedOutcome)42);
        RefusedTyped<int>(nameof(SingleFlightStrategyOptions.MaxJoinAge), static options => options.MaxJoinAge = TimeSpan.FromSeconds(-5));
        RefusedTyped<int>(nameof(SingleFlightStrategyOptions<>.UnsharedOutcome), static options => options.UnsharedOutcome = (UnsharedOutcome)42);
        return Task.CompletedTask;
    }

    private static void Refused(string option, Action<SingleFlightStrategyOptions> spoil)
    {
        var options = new SingleFlightStrategyOptions();
        spoil(options);
        var refusal = Expect.Throws<ValidationException>(() => new ResiliencePipelineBuilder().AddSingleFlight(options));
        Expect.Contains(option, refusal.Message);
    }

    private static void RefusedTyped<TResult>(string option, Action<SingleFlightStrategyOptions<TResult>> spoil)
    {
        var options = new SingleFlightStrategyOptions<TResult>();
        spoil(options);
        var refusal = Expect.Throws<ValidationException>(() => new ResiliencePipelineBuilder<TResult>().AddSingleFlight(options));
        Expect.Contains(option, refusal.Message);
    }
}
