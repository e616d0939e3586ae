using System.Reflection;
using Polly.SingleFlight.Caching;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Tests.PublicApi;

/// <summary>
/// The public surface of each package is a file that is reviewed. A change of it is made on purpose: run the tests once
/// with UPDATE_PUBLIC_API=1, which rewrites the file (and still fails), and read the difference.
/// </summary>
public class PublicApiTests
{
    private const string UpdateVariable = "UPDATE_PUBLIC_API";

    public static TheoryData<string> Packages => new(
        typeof(SingleFlightGroup).Assembly.GetName().Name!,
        typeof(Microsoft.Extensions.DependencyInjection.SingleFlightHttpClientBuilderExtensions).Assembly.GetName().Name!,
        typeof(CacheLifetime).Assembly.GetName().Name!);

    [Theory]
    [MemberData(nameof(Packages))]
    public void PublicSurface_OfPackage_EqualsTheBaseline(string package)
    {
        var file = Baseline.PathOf(package);
        var expected = File.Exists(file) ? File.ReadAllText(file).ReplaceLineEndings("\n") : "";
        var actual = PublicApiText.Of(Assembly.Load(package));

        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            File.WriteAllText(file, actual);
            Assert.Fail($"{file} was written. Read the difference, then run again without {UpdateVariable}.");
        }

        if (expected != actual)
        {
            Assert.Fail($"The public surface of {package} is not what {Path.GetFileName(file)} says:\n\n{Baseline.Difference(expected, actual)}\n"
                + $"If that is meant, run once with {UpdateVariable}=1, read the difference and commit the file.");
        }
    }
}
