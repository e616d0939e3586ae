using System.Reflection;

namespace Polly.SingleFlight.Tests.PublicApi;

/// <summary>Types the way C# writes them, with the nullability of every reference in them.</summary>
internal static class TypeText
{
    private static readonly Dictionary<Type, string> s_keywords = new()
    {
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(char)] = "char",
        [typeof(double)] = "double",
        [typeof(float)] = "float",
        [typeof(int)] = "int",
        [typeof(long)] = "long",
        [typeof(object)] = "object",
        [typeof(string)] = "string",
        [typeof(void)] = "void",
    };

    /// <summary>Namespaces that need no mention, besides Polly's and our own. Everything else is written in full.</summary>
    private static readonly string[] s_imported =
        ["System", "System.Collections.Generic", "System.Net.Http", "System.Threading", "System.Threading.Tasks"];

    /// <summary>A type where nothing is noted about references: a base type, an interface, a constraint.</summary>
    public static string Of(Type type) => Write(type, null);

    public static string Of(ParameterInfo parameter) => Write(parameter.ParameterType, NullableFlags.Of(parameter));

    public static string Of(PropertyInfo property) => Write(property.PropertyType, NullableFlags.Of(property));

    public static string Of(FieldInfo field) => Write(field.FieldType, NullableFlags.Of(field));

    public static string Of(EventInfo @event) => Write(@event.EventHandlerType!, NullableFlags.Of(@event));

    public static string OfReturn(MethodInfo method) =>
        (method.ReturnType.IsByRef ? "ref " : "") + Of(method.ReturnParameter);

    /// <summary>A type's own name with its parameters, as in its declaration.</summary>
    public static string NameOf(Type type) =>
        (type.IsNested ? NameOf(type.DeclaringType!) + "." : "") + SimpleName(type) + List(type.GetGenericArguments());

    public static string SimpleName(Type type) => type.Name.Split('`')[0];

    public static string ParametersOf(MethodInfo method) => List(method.GetGenericArguments());

    public static string ConstraintsOf(IEnumerable<Type> typeParameters) =>
        string.Concat(typeParameters.Select(static parameter => (parameter.Name, Constraints: Constraints(parameter).ToArray()))
            .Where(static parameter => parameter.Constraints.Length > 0)
            .Select(static parameter => $" where {parameter.Name} : {string.Join(", ", parameter.Constraints)}"));

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
        var types = parameter.GetGenericParameterConstraints().Where(static type => type != typeof(ValueType)).Select(Of).ToArray();
        if (isStruct)
        {
            yield return "struct";
        }
        else if (attributes.HasFlag(GenericParameterAttributes.ReferenceTypeConstraint))
        {
            yield return NullableFlags.IsNotNull(parameter) ? "class" : "class?";
        }
        else if (types.Length == 0 && NullableFlags.IsNotNull(parameter))
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

    /// <summary>Takes the flags in the order in which the compiler wrote them: a type before its arguments.</summary>
    private static string Write(Type type, NullableFlags? flags)
    {
        if (type.IsByRef)
        {
            return Write(type.GetElementType()!, flags);
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return Write(underlying, flags) + "?";
        }

        var hasFlag = !type.IsValueType || type.IsGenericType;
        var isNullable = hasFlag && flags?.TakeIsNullable() == true;
        return WriteNotNull(type, flags) + (isNullable ? "?" : "");
    }

    private static string WriteNotNull(Type type, NullableFlags? flags)
    {
        if (type.IsArray)
        {
            return $"{Write(type.GetElementType()!, flags)}[{new string(',', type.GetArrayRank() - 1)}]";
        }

        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        if (s_keywords.TryGetValue(type, out var keyword))
        {
            return keyword;
        }

        var arguments = string.Join(", ", type.GetGenericArguments().Select(argument => Write(argument, flags)));
        if (type.Namespace == "System" && type.Name.StartsWith("ValueTuple`", StringComparison.Ordinal))
        {
            return $"({arguments})";
        }

        var name = type.IsNested ? $"{Of(type.DeclaringType!)}.{SimpleName(type)}" : Qualified(type);
        return type.IsGenericType ? $"{name}<{arguments}>" : name;
    }

    private static string Qualified(Type type)
    {
        var isKnown = s_imported.Contains(type.Namespace) || $"{type.Namespace}.".StartsWith("Polly.", StringComparison.Ordinal);
        return isKnown ? SimpleName(type) : $"{type.Namespace}.{SimpleName(type)}";
    }
}
