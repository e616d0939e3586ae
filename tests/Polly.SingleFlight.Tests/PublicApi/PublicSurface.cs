using System.Reflection;
using System.Runtime.CompilerServices;

namespace Polly.SingleFlight.Tests.PublicApi;

/// <summary>Which types and members of an assembly a user can name.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly;

    public static IEnumerable<Type> TypesOf(Assembly assembly) =>
        assembly.GetTypes().Where(IsVisible).OrderBy(static type => type.FullName, StringComparer.Ordinal);

    public static IEnumerable<MemberInfo> MembersOf(Type type)
    {
        if (type.IsEnum)
        {
            return type.GetFields(BindingFlags.Public | BindingFlags.Static);
        }

        if (typeof(Delegate).IsAssignableFrom(type))
        {
            return [];
        }

        return type.GetMembers(Declared).Where(member => member switch
        {
            Type => false,
            PropertyInfo property => property.GetAccessors(nonPublic: true).Any(IsVisible),
            EventInfo @event => IsVisible(@event.AddMethod!),
            FieldInfo field => IsVisible(field.Attributes),
            MethodInfo method => IsVisible(method) && !IsAccessor(method) && !IsWrittenByCompiler(method),
            ConstructorInfo constructor => IsVisible(constructor),
            _ => true,
        });
    }

    private static bool IsVisible(MethodBase method) =>
        method.IsPublic || ((method.IsFamily || method.IsFamilyOrAssembly) && !method.DeclaringType!.IsSealed);

    /// <summary>A record struct can only be told by the members that the compiler writes for it.</summary>
    private static bool IsRecord(Type type) =>
        type.GetMethod("PrintMembers", Declared) is { } print && print.IsDefined(typeof(CompilerGeneratedAttribute));

    private static bool IsVisible(FieldAttributes attributes) =>
        (attributes & FieldAttributes.FieldAccessMask)
            is FieldAttributes.Public or FieldAttributes.Family or FieldAttributes.FamORAssem;

    private static bool IsVisible(Type type) =>
        type.IsPublic
        || ((type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!));

    private static bool IsAccessor(MethodInfo method) =>
        method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    /// <summary>What "record" says already; deconstruction is what only a positional record has.</summary>
    private static bool IsWrittenByCompiler(MethodInfo method) =>
        method.IsDefined(typeof(CompilerGeneratedAttribute)) && IsRecord(method.DeclaringType!) && method.Name != "Deconstruct";
}
