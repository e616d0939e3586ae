using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Polly.SingleFlight.Tests.PublicApi;

/// <summary>
/// The public surface of an assembly as text that reads like C#: one line per member, in an order that does not depend on
/// where a member is declared, the same for every target framework.
/// </summary>
internal static class PublicApiText
{
    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var types in PublicSurface.TypesOf(assembly).GroupBy(static type => type.Namespace).OrderBy(static g => g.Key, StringComparer.Ordinal))
        {
            text.Append(text.Length > 0 ? "\n" : "").Append("namespace ").Append(types.Key).Append('\n');
            foreach (var type in types)
            {
                text.Append('\n').Append(Of(type));
            }
        }

        return text.ToString();
    }

    public static string Of(Type type)
    {
        var text = new StringBuilder(TypeLine(type)).Append('\n');
        var members = PublicSurface.MembersOf(type).Select(static member => (Member: member, Line: MemberLine(member)));
        foreach (var (_, line) in members.OrderBy(static m => Order(m.Member))
            .ThenBy(static m => m.Member.Name, StringComparer.Ordinal).ThenBy(static m => m.Line, StringComparer.Ordinal))
        {
            text.Append("    ").Append(line).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Enum members by value; everything else by kind.</summary>
    private static long Order(MemberInfo member) => member switch
    {
        FieldInfo { DeclaringType.IsEnum: true } field => Value(field),
        FieldInfo => 1,
        ConstructorInfo => 2,
        PropertyInfo => 3,
        EventInfo => 4,
        _ => 5,
    };

    private static long Value(FieldInfo enumMember) => Convert.ToInt64(enumMember.GetRawConstantValue(), CultureInfo.InvariantCulture);

    private static string TypeLine(Type type)
    {
        var obsolete = Obsolete(type);
        var access = type.IsPublic || type.IsNestedPublic ? "public" : "protected";
        if (typeof(Delegate).IsAssignableFrom(type))
        {
            var invoke = type.GetMethod("Invoke")!;
            return $"{obsolete}{access} delegate {TypeText.OfReturn(invoke)} {TypeText.NameOf(type)}({Parameters(invoke)})";
        }

        if (type.IsEnum)
        {
            var flags = type.IsDefined(typeof(FlagsAttribute)) ? "[Flags] " : "";
            return $"{obsolete}{flags}{access} enum {TypeText.NameOf(type)} : {TypeText.Of(Enum.GetUnderlyingType(type))}";
        }

        string[] above = [.. BaseOf(type), .. InterfacesOf(type)];
        return $"{obsolete}{access} {Kind(type)} {TypeText.NameOf(type)}{(above.Length > 0 ? " : " : "")}{string.Join(", ", above)}"
            + TypeText.ConstraintsOf(type.GetGenericArguments());
    }

    private static string Kind(Type type)
    {
        var record = PublicSurface.IsRecord(type) ? "record " : "";
        if (type.IsInterface)
        {
            return "interface";
        }

        if (type.IsValueType)
        {
            var readOnly = type.IsDefined(typeof(IsReadOnlyAttribute)) ? "readonly " : "";
            return $"{readOnly}{(type.IsByRefLike ? "ref " : "")}{record}struct";
        }

        var modifier = (type.IsAbstract, type.IsSealed) switch
        {
            (true, true) => "static ",
            (true, false) => "abstract ",
            (false, true) => "sealed ",
            _ => "",
        };
        return $"{modifier}{record}class";
    }

    private static IEnumerable<string> BaseOf(Type type) =>
        type.IsClass && type.BaseType is { } parent && parent != typeof(object) ? [TypeText.Of(parent)] : [];

    /// <summary>The public interfaces that neither the base type nor another interface brings along.</summary>
    private static IEnumerable<string> InterfacesOf(Type type)
    {
        var all = type.GetInterfaces();
        var implied = all.SelectMany(static i => i.GetInterfaces()).Concat(type.BaseType?.GetInterfaces() ?? []);
        return all.Except(implied).Where(static i => i.IsVisible).Select(TypeText.Of).Order(StringComparer.Ordinal);
    }

    private static string MemberLine(MemberInfo member) => Obsolete(member) + member switch
    {
        FieldInfo { DeclaringType.IsEnum: true } field => $"{field.Name} = {Value(field)}",
        FieldInfo field => FieldLine(field),
        ConstructorInfo constructor => $"{Access(constructor)} {TypeText.SimpleName(constructor.DeclaringType!)}({Parameters(constructor)})",
        PropertyInfo property => PropertyLine(property),
        EventInfo @event => $"{Modifiers(@event.AddMethod!)} event {TypeText.Of(@event)} {@event.Name}",
        MethodInfo method => MethodLine(method),
        _ => throw new NotSupportedException($"{member.MemberType} {member.Name}"),
    };

    private static string FieldLine(FieldInfo field)
    {
        var access = field.IsPublic ? "public" : "protected";
        return field.IsLiteral
            ? $"{access} const {TypeText.Of(field)} {field.Name} = {Literal(field.FieldType, field.GetRawConstantValue())}"
            : $"{access} {(field.IsStatic ? "static " : "")}{(field.IsInitOnly ? "readonly " : "")}{TypeText.Of(field)} {field.Name}";
    }

    private static string PropertyLine(PropertyInfo property)
    {
        var accessors = property.GetAccessors(nonPublic: true).Where(PublicSurface.IsVisible).ToArray();
        var widest = accessors.OrderByDescending(static accessor => accessor.IsPublic).First();
        var required = property.IsDefined(typeof(RequiredMemberAttribute)) ? "required " : "";
        var name = property.GetIndexParameters() is { Length: > 0 } index ? $"this[{Parameters(index, isExtension: false)}]" : property.Name;
        var list = accessors.Select(accessor =>
            (accessor.IsPublic == widest.IsPublic ? "" : "protected ")
            + (accessor == property.GetMethod ? "get;" : IsInit(accessor) ? "init;" : "set;"));
        return $"{Modifiers(widest)} {required}{TypeText.Of(property)} {name} {{ {string.Join(' ', list)} }}";
    }

    private static bool IsInit(MethodInfo setter) =>
        setter.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));

    private static string MethodLine(MethodInfo method) =>
        $"{Modifiers(method)} {TypeText.OfReturn(method)} {method.Name}{TypeText.ParametersOf(method)}({Parameters(method)})"
        + TypeText.ConstraintsOf(method.GetGenericArguments());

    private static string Access(MethodBase method) => method.IsPublic ? "public" : "protected";

    private static string Modifiers(MethodInfo method)
    {
        var isOverride = method.GetBaseDefinition() != method;
        var modifier = method switch
        {
            { DeclaringType.IsInterface: true } => "",
            { IsStatic: true } => " static",
            { IsAbstract: true } => isOverride ? " abstract override" : " abstract",
            _ when isOverride => method.IsFinal ? " sealed override" : " override",
            { IsVirtual: true, IsFinal: false } => " virtual",
            _ => "",
        };
        return Access(method) + modifier;
    }

    private static string Parameters(MethodBase method) =>
        Parameters(method.GetParameters(), method.IsDefined(typeof(ExtensionAttribute)));

    private static string Parameters(ParameterInfo[] parameters, bool isExtension) =>
        (isExtension ? "this " : "") + string.Join(", ", parameters.Select(static parameter =>
            $"{PassedAs(parameter)}{TypeText.Of(parameter)} {parameter.Name}"
            + (parameter.HasDefaultValue ? $" = {Literal(parameter.ParameterType, parameter.RawDefaultValue)}" : "")));

    private static string PassedAs(ParameterInfo parameter) => parameter switch
    {
        { IsOut: true } => "out ",
        { ParameterType.IsByRef: true } => parameter.IsIn ? "in " : "ref ",
        _ => parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : "",
    };

    private static string Literal(Type type, object? value) => value switch
    {
        null => type.IsValueType && Nullable.GetUnderlyingType(type) is null ? "default" : "null",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        _ when type.IsEnum => $"{type.Name}.{Enum.ToObject(type, value)}",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>The compiler marks what old compilers must not use as obsolete too; that is not the author's word.</summary>
    private static string Obsolete(MemberInfo member) =>
        member.GetCustomAttribute<ObsoleteAttribute>() is { } obsolete && !member.IsDefined(typeof(CompilerFeatureRequiredAttribute))
            ? $"[Obsolete(\"{obsolete.Message}\")] "
            : "";
}
