using System.Reflection;

namespace Polly.SingleFlight.Tests.PublicApi;

/// <summary>The name of a type or member in the documentation file that the compiler writes.</summary>
internal static class DocumentationId
{
    public static string Of(MemberInfo member) => member switch
    {
        Type type => $"T:{Name(type)}",
        FieldInfo => $"F:{Name(member.DeclaringType!)}.{member.Name}",
        EventInfo => $"E:{Name(member.DeclaringType!)}.{member.Name}",
        PropertyInfo property => $"P:{Name(member.DeclaringType!)}.{member.Name}{Parameters(property.GetIndexParameters())}",
        ConstructorInfo constructor => $"M:{Name(member.DeclaringType!)}.#ctor{Parameters(constructor.GetParameters())}",
        MethodInfo method => $"M:{Name(member.DeclaringType!)}.{member.Name}{Arity(method)}{Parameters(method.GetParameters())}{Target(method)}",
        _ => throw new NotSupportedException($"{member.MemberType} {member.Name}"),
    };

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    private static string Arity(MethodInfo method) => method.IsGenericMethod ? $"``{method.GetGenericArguments().Length}" : "";

    /// <summary>Only conversions differ by what they return.</summary>
    private static string Target(MethodInfo method) =>
        method.Name is "op_Implicit" or "op_Explicit" ? $"~{Reference(method.ReturnType)}" : "";

    private static string Parameters(ParameterInfo[] parameters) =>
        parameters.Length == 0 ? "" : $"({string.Join(',', parameters.Select(static parameter => Reference(parameter.ParameterType)))})";

    private static string Reference(Type type)
    {
        if (type.IsByRef)
        {
            return Reference(type.GetElementType()!) + "@";
        }

        if (type.IsArray)
        {
            var dimensions = Enumerable.Repeat("0:", type.GetArrayRank());
            return $"{Reference(type.GetElementType()!)}[{(type.IsSZArray ? "" : string.Join(',', dimensions))}]";
        }

        if (type.IsGenericParameter)
        {
            return (type.DeclaringMethod is null ? "`" : "``") + type.GenericParameterPosition;
        }

        if (!type.IsGenericType)
        {
            return Name(type);
        }

        var name = Name(type.GetGenericTypeDefinition());
        return $"{name[..name.LastIndexOf('`')]}{{{string.Join(',', type.GetGenericArguments().Select(Reference))}}}";
    }
}
