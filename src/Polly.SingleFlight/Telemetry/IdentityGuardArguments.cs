namespace Polly.SingleFlight.Telemetry;

/// <summary>Says what a handler inside single flight added to a request, such as <c>the header X-Tenant</c>.</summary>
internal readonly record struct IdentityGuardArguments(string Addition)
{
    public override string ToString() => Addition;
}
