using System.Reflection;

namespace Polly.SingleFlight.Soak;

/// <summary>
/// Looks into a token source for registrations that somebody left behind. The class library has no public way to ask;
/// where its fields are named otherwise, the soak refuses to run rather than not to look.
/// </summary>
internal static class RegistrationProbe
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;

    private static readonly FieldInfo s_registrations =
        typeof(CancellationTokenSource).GetField("_registrations", Fields) ?? throw new NotSupportedException("CancellationTokenSource has changed.");

    private static readonly FieldInfo s_callbacks =
        s_registrations.FieldType.GetField("Callbacks", Fields) ?? throw new NotSupportedException("CancellationTokenSource has changed.");

    public static bool HasRegistrations(CancellationTokenSource source) =>
        s_registrations.GetValue(source) is { } registrations && s_callbacks.GetValue(registrations) is not null;
}
