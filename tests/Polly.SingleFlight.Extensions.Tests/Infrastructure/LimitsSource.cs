using Microsoft.Extensions.Primitives;

namespace Polly.SingleFlight.Extensions.Tests.Infrastructure;

/// <summary>Options of a user's own.</summary>
internal sealed class Limits
{
    public int Count { get; set; }
}

/// <summary>Tells that options of a name have changed.</summary>
internal sealed class LimitsSource
{
    private readonly Dictionary<string, Token> _tokens = [];

    public IOptionsChangeTokenSource<Limits> Of(string name) => _tokens[name] = new Token(name);

    public void Change(string name) => _tokens[name].Change();

    private sealed class Token(string name) : IOptionsChangeTokenSource<Limits>
    {
        private ConfigurationReloadToken _token = new();

        public string Name => name;

        public IChangeToken GetChangeToken() => Volatile.Read(ref _token);

        public void Change() => Interlocked.Exchange(ref _token, new ConfigurationReloadToken()).OnReload();
    }
}
