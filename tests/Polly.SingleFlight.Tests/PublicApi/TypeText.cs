using System.Reflection;

namespace Polly.SingleFlight.Tests.PublicApi;

/// <summary>Types the way C# writes them, with the nullability of every reference in them.</summary>
internal static class TypeText
{
    private static readonly Dictionary<Type, string> s_keywords = new()
    {
        [typeof(bool)] = "bool", [typeof(byte)] = "byte", [typeof(char)] = "char", [typeof(decimal)] = "decimal",
        [typeof(double)] = "double", [typeof(float)] = "float", [typeof(int)] = "int", [typeof(long)] = "long",
        [typeof(object)] = "object", [typeof(string)] = "string", [typeof(uint)] = "uint", [typeof(ulong)] = "ulong",
        [typeof(void)] = "void",
    };

    /// <summary>Namespaces that need no mention, besides Polly's and our own. Everything else is written in full.</summary>
    private static readonly string[] s_imported =
        ["System", "System.Collections.Generic", "System.Net.Http", "System.Threading", "System.Threading.Tasks"];

    public static string Of(Type type) => Write(type, null);

    public static string Of(ParameterInfo parameter) => Write(parameter.ParameterType, new NullabilityInfoContext().Create(parameter));

    public static string Of(PropertyInfo property) => Write(property.PropertyType, new NullabilityInfoContext().Create(property));

    public static string Of(FieldInfo field) => Write(field.FieldType, new NullabilityInfoContext().Create(field));

    public static string Of(EventInfo @event) => Write(@event.EventHandlerType!, new NullabilityInfoContext().Create(@event));

    public static string OfReturn(MethodInfo method) =>
        (method.ReturnType.IsByRef ? "ref " : "") + Of(method.ReturnParameter);

    /// <summary>A type's own name with its parameters, as in its declaration.</summary>
    public static string NameOf(Type type) =>
        (type.IsNested ? NameOf(type.DeclaringType!) + "." : "") + SimpleName(type) + List(type.GetGenericArguments());

    public static string SimpleName(Type type) => type.Name.Split('`')[0];

    public static string ArgumentsOf(MethodInfo method) => List(method.GetGenericArguments());

    public static string ConstraintsOf(Type[] parameters) =>
        string.Concat(parameters.Select(static parameter => (parameter, Constraints: Constraints(parameter).ToArray()))
            .Where(static p => p.Constraints.Length > 0)
            .Select(static p => $" where {p.parameter.Name} : {string.Join(", ", p.Constraints)}"));

    private static string List(Type[] arguments) =>
        arguments.Length == 0 ? "" : $"<{string.Join(", ", arguments.Select(static a => Variance(a) + a.Name))}>";

    private static string Variance(Type parameter) =>
        (parameter.GenericParameterAttributes & GenericParameterAttributes.VarianceMask) switch
        {
            GenericParameterAttributes.Covariant => "out ",
            GenericParameterAttributes.Contravariant => "in ",
            _ => "",
        };

    private static IEnumerable<string> Constraints(Type parameter)
    {
        var attributes = parameter.GenericParameterAttributes;
        var isStruct = attributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
        var types = parameter.GetGenericParameterConstraints().Where(static type => type != typeof(ValueType)).Select(Of);
        if (isStruct)
        {
            yield return "struct";
        }
        else if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
        {
            yield return IsNotNull(parameter) ? "class" : "class?";
        }
        else if (IsNotNull(parameter) && !types.Any())
        {
            yield return "notnull";
        }

        foreach (var type in types)
        {
            yield return type;
        }

        if (attributes.HasFlag(GenericParameterAttributes.DefaultConstructorConstraint) && !isStruct)
        {
            yield return "new()";
        }
    }

    /// <summary>The compiler's note on the type parameter itself, or on what declares it.</summary>
    private static bool IsNotNull(Type parameter)
    {
        const string Own = "System.Runtime.CompilerServices.NullableAttribute";
        const string Inherited = "System.Runtime.CompilerServices.NullableContextAttribute";
        MemberInfo?[] scopes = [parameter.DeclaringMethod, parameter.DeclaringType];
        var notes = parameter.CustomAttributes.Where(static a => a.AttributeType.FullName == Own)
            .Concat(scopes.OfType<MemberInfo>().SelectMany(static s => s.CustomAttributes).Where(static a => a.AttributeType.FullName == Inherited));
        return notes.FirstOrDefault()?.ConstructorArguments[0].Value is (byte)1;
    }

    private static string Write(Type type, NullabilityInfo? nullability)
    {
        if (type.IsByRef)
        {
            return Write(type.GetElementType()!, nullability);
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return WriteNotNull(underlying, nullability) + "?";
        }

        // A type parameter reads as nullable unless it is constrained; only a written "?" is of interest, and that is in WriteState too.
        var isNullable = !type.IsValueType && nullability?.ReadState == NullabilityState.Nullable;
        return WriteNotNull(type, nullability) + (isNullable ? "?" : "");
    }

    private static string WriteNotNull(Type type, NullabilityInfo? nullability)
    {
        if (type.IsArray)
        {
            return $"{Write(type.GetElementType()!, nullability?.ElementType)}[{new string(',', type.GetArrayRank() - 1)}]";
        }

        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        if (s_keywords.TryGetValue(type, out var keyword))
        {
            return keyword;
        }

        var arguments = type.GetGenericArguments();
        var written = arguments.Select((argument, i) => Write(argument, nullability?.GenericTypeArguments.ElementAtOrDefault(i)));
        if (type.FullName?.StartsWith("System.ValueTuple`", StringComparison.Ordinal) == true)
        {
            return $"({string.Join(", ", written)})";
        }

        var name = type.IsNested ? $"{Of(type.DeclaringType!)}.{SimpleName(type)}" : Qualified(type);
        return arguments.Length == 0 ? name : $"{name}<{string.Join(", ", written)}>";
    }

    private static string Qualified(Type type)
    {
        var isKnown = s_imported.Contains(type.Namespace) || type.Namespace is "Polly" || type.Namespace!.StartsWith("Polly.", StringComparison.Ordinal);
        return isKnown ? SimpleName(type) : $"{type.Namespace}.{SimpleName(type)}";
    }
}
