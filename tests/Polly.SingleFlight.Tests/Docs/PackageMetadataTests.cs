using System.Buffers.Binary;
using System.Xml.Linq;

namespace Polly.SingleFlight.Tests.Docs;

/// <summary>What a gallery shows of the packages: links that lead somewhere, an icon, notes of the release.</summary>
public sealed class PackageMetadataTests
{
    private static readonly XElement s_metadata = XElement.Parse(RepositoryFiles.ReadFile("Directory.Build.props"));

    public static string RepositoryUrl => Property("RepositoryUrl");

    [Fact]
    public void Repository_HasOneAddress()
    {
        Assert.StartsWith("https://", RepositoryUrl, StringComparison.Ordinal);
        Assert.Equal("$(RepositoryUrl)", Property("PackageProjectUrl"));
        Assert.StartsWith("$(RepositoryUrl)/blob/main/CHANGELOG.md", Property("PackageReleaseNotes"), StringComparison.Ordinal);
    }

    [Fact]
    public void ReadmesOfPackages_LinkToTheGuideAndTheChangelog() => Assert.All(RepositoryFiles.Read("src", "README.md"), static readme =>
    {
        Assert.Contains($"({RepositoryUrl}/blob/main/docs/README.md)", readme.Text, StringComparison.Ordinal);
        Assert.Contains($"({RepositoryUrl}/blob/main/CHANGELOG.md)", readme.Text, StringComparison.Ordinal);
    });

    [Fact]
    public void Versions_ComeFromTagsAndStandNowhere() =>
        Assert.All(RepositoryFiles.Read("src", "*.*proj").Append(("Directory.Build.props", RepositoryFiles.ReadFile("Directory.Build.props"))), static file =>
            Assert.DoesNotContain("<Version>", file.Item2, StringComparison.Ordinal));

    /// <summary>Galleries show icons of 128 by 128; the size stands in the first chunk of the file.</summary>
    [Fact]
    public void Icon_IsAPngOf128By128()
    {
        var header = RepositoryFiles.ReadBytes($"docs/images/{Property("PackageIcon")}").AsSpan(0, 24);
        Assert.Equal("PNG"u8, header[1..4]);
        Assert.Equal(128, BinaryPrimitives.ReadInt32BigEndian(header[16..]));
        Assert.Equal(128, BinaryPrimitives.ReadInt32BigEndian(header[20..]));
    }

    private static string Property(string name) => s_metadata.Descendants(name).Single().Value;
}
