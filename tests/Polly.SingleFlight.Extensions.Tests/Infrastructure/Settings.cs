namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>A configuration whose content a test replaces as a whole, as a changed file does.</summary>
internal sealed class Settings : ConfigurationProvider, IConfigurationSource
{
    public const string Section = "Clients:Prices";

    public Settings(params (string Key, string? Value)[] options)
    {
        Set(options);
        Root = new ConfigurationBuilder().Add(this).Build();
    }

    public IConfigurationRoot Root { get; }

    public IConfigurationSection Prices => Root.GetSection(Section);

    /// <summary>Replaces the options of the section and tells so.</summary>
    public void Replace(params (string Key, string? Value)[] options)
    {
        Set(options);
        OnReload();
    }

    /// <summary>Tells of a change where there is none.</summary>
    public void Touch() => OnReload();

    public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

    private void Set((string Key, string? Value)[] options) =>
        Data = options.ToDictionary(option => $"{Section}:{option.Key}", option => option.Value, StringComparer.OrdinalIgnoreCase);
}
