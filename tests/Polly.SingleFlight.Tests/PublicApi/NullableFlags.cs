using System.Collections.ObjectModel;
using System.Reflection;

namespace Polly.SingleFlight.Tests.PublicApi;

/// <summary>
/// The compiler's notes on the nullability of one declaration: one flag for each reference and type parameter in its type,
/// outermost first. <see cref="NullabilityInfoContext"/> reads the same notes but cannot tell <c>T</c> from <c>T?</c>.
/// </summary>
internal sealed class NullableFlags
{
    private const string OwnNote = "System.Runtime.CompilerServices.NullableAttribute";
    private const string NoteOfScope = "System.Runtime.CompilerServices.NullableContextAttribute";

    private readonly byte[] _flags;
    private int _next;

    private NullableFlags(byte[] flags) => _flags = flags;

    public static NullableFlags Of(ParameterInfo parameter) => new(Read(parameter.CustomAttributes, parameter.Member));

    public static NullableFlags Of(MemberInfo member) => new(Read(member.CustomAttributes, member.DeclaringType));

    /// <summary>The flag of a type parameter's declaration, which is about its constraint.</summary>
    public static bool IsNotNull(Type typeParameter) =>
        Read(typeParameter.CustomAttributes, (MemberInfo?)typeParameter.DeclaringMethod ?? typeParameter.DeclaringType)[0] == 1;

    /// <summary>Takes the flag of the next reference or type parameter.</summary>
    public bool TakeIsNullable() => _flags[_flags.Length == 1 ? 0 : _next++] == 2;

    private static byte[] Read(IEnumerable<CustomAttributeData> own, MemberInfo? scope)
    {
        if (Find(own, OwnNote) is { } note)
        {
            return note.Value is ReadOnlyCollection<CustomAttributeTypedArgument> many
                ? [.. many.Select(static flag => (byte)flag.Value!)]
                : [(byte)note.Value!];
        }

        for (; scope is not null; scope = scope.DeclaringType)
        {
            if (Find(scope.CustomAttributes, NoteOfScope) is { } noteOfScope)
            {
                return [(byte)noteOfScope.Value!];
            }
        }

        return [0];
    }

    private static CustomAttributeTypedArgument? Find(IEnumerable<CustomAttributeData> attributes, string name) =>
        attributes.FirstOrDefault(attribute => attribute.AttributeType.FullName == name)?.ConstructorArguments[0];
}
