using System.Reflection;
using System.Runtime.CompilerServices;
using System.Xml.Linq;
using Microsoft.Extensions.DependencyInjection;
using Polly.SingleFlight.Caching;

namespace Polly.SingleFlight.Tests.PublicApi;

/// <summary>What a user sees in the editor: every public type, member, parameter and default is described.</summary>
public class DocumentationTests
{
    public static TheoryData<string> Packages => new(
        typeof(SingleFlightGroup).Assembly.GetName().Name!,
        typeof(SingleFlightHttpClientBuilderExtensions).Assembly.GetName().Name!,
        typeof(CacheLifetime).Assembly.GetName().Name!);

    [Theory]
    [MemberData(nameof(Packages))]
    public void Documentation_OfPackage_DescribesEveryPublicMember(string package)
    {
        var assembly = Assembly.Load(package);
        var documented = XDocument.Load(Path.ChangeExtension(assembly.Location, ".xml"))
            .Descendants("member").ToDictionary(static member => member.Attribute("name")!.Value);

        var missing = PublicSurface.TypesOf(assembly)
            .SelectMany(static type => PublicSurface.MembersOf(type).Prepend(type))
            .Where(static member => !IsWrittenByCompiler(member))
            .SelectMany(member => MissingFrom(documented.GetValueOrDefault(DocumentationId.Of(member)), member)
                .Select(what => $"{what} of {DocumentationId.Of(member)}"))
            .ToArray();

        Assert.True(missing.Length == 0, $"Not documented:\n{string.Join('\n', missing)}");
    }

    /// <summary>
    /// Has no place for a comment. A constructor without parameters may be the compiler's or not, which cannot be seen; where
    /// it is not, the compiler itself asks for the comment.
    /// </summary>
    private static bool IsWrittenByCompiler(MemberInfo member) =>
        member.IsDefined(typeof(CompilerGeneratedAttribute)) || (member is ConstructorInfo constructor && constructor.GetParameters().Length == 0);

    private static IEnumerable<string> MissingFrom(XElement? documentation, MemberInfo member)
    {
        if (documentation?.Element("inheritdoc") is not null)
        {
            return [];
        }

        return Expected(member).Where(expected => !IsDescribed(documentation, expected.Element, expected.Name))
            .Select(static expected => $"<{expected.Element}> {expected.Name}".TrimEnd());
    }

    private static IEnumerable<(string Element, string? Name)> Expected(MemberInfo member)
    {
        yield return ("summary", null);

        if (member is PropertyInfo { SetMethod.IsPublic: true } && typeof(ResilienceStrategyOptions).IsAssignableFrom(member.DeclaringType))
        {
            yield return ("value", null);       // an option: its default, unit and range
        }

        if (member is MethodInfo method && method.ReturnType != typeof(void))
        {
            yield return ("returns", null);
        }

        foreach (var typeParameter in TypeParametersOf(member))
        {
            yield return ("typeparam", typeParameter.Name);
        }

        foreach (var parameter in (member as MethodBase)?.GetParameters() ?? [])
        {
            yield return ("param", parameter.Name);
        }
    }

    private static Type[] TypeParametersOf(MemberInfo member) => member switch
    {
        Type type => type.GetGenericArguments(),
        MethodInfo method => method.GetGenericArguments(),
        _ => [],
    };

    /// <summary>There is text, or a reference that an editor shows as text.</summary>
    private static bool IsDescribed(XElement? documentation, string element, string? name) =>
        documentation?.Elements(element).Any(e =>
            (name is null || e.Attribute("name")?.Value == name) && (e.HasElements || !string.IsNullOrWhiteSpace(e.Value))) == true;
}
