using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Polly.SingleFlight.Extensions.Telemetry;
using Polly.SingleFlight.Http;

namespace Polly.SingleFlight.Extensions.Configuration;

/// <summary>
/// Tells the options of a client to change when their section did, and only if what it holds now is valid. The options' cache
/// drops what it has before it tries the new, and what goes wrong then reaches whoever reloaded the configuration.
/// </summary>
internal sealed class SectionReload : IOptionsChangeTokenSource<HttpSingleFlightStrategyOptions>, IDisposable
{
    private readonly IConfiguration _section;
    private readonly IServiceProvider _services;
    private readonly ILogger _logger;
    private readonly IDisposable _subscription;

    private ConfigurationReloadToken _token = new();
    private Dictionary<string, string?> _accepted;

    public SectionReload(string name, IConfiguration section, IServiceProvider services)
    {
        Name = name;
        _section = section;
        _services = services;
        _logger = Log.CreateLogger(services.GetRequiredService<ILoggerFactory>());
        _accepted = Read();
        _subscription = ChangeToken.OnChange(section.GetReloadToken, OnReload);
    }

    public string Name { get; }

    public IChangeToken GetChangeToken() => Volatile.Read(ref _token);

    public void Dispose() => _subscription.Dispose();

    private void OnReload()
    {
        // The token is that of the whole configuration: mostly something else has changed.
        var content = Read();
        if (content.Count == _accepted.Count && !content.Except(_accepted).Any())
        {
            return;
        }

        try
        {
            _services.GetRequiredService<IOptionsFactory<HttpSingleFlightStrategyOptions>>().Create(Name);
        }
        catch (ObjectDisposedException)
        {
            // The services are being disposed of, and a configuration outlives them; nobody asks for the options any more.
            return;
        }
        catch (Exception exception)
        {
            Log.OptionsRejected(_logger, Name, exception.Message);
            return;
        }

        _accepted = content;
        Interlocked.Exchange(ref _token, new ConfigurationReloadToken()).OnReload();
    }

    private Dictionary<string, string?> Read() =>
        _section.AsEnumerable().ToDictionary(static pair => pair.Key, static pair => pair.Value, StringComparer.OrdinalIgnoreCase);
}
