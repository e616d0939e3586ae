using Microsoft.Extensions.Http;

namespace Polly.SingleFlight.Extensions.Tests.Identity;

/// <summary>Filters of an application, which change the handlers of all clients when those are complete.</summary>
public sealed class FilterTests : IdentityTest
{
    /// <summary>What a filter adds stands behind all that was added, wherever the filter was registered.</summary>
    [Theory]
    [InlineData("before", false)]
    [InlineData("before", true)]
    [InlineData("between", false)]
    [InlineData("between", true)]
    [InlineData("after", false)]
    [InlineData("after", true)]
    public async Task Filter_ThatAddsAHandlerOfTheCaller_IsSeen(string place, bool isRouter)
    {
        var provider = Provide(services =>
        {
            Add(place == "before");
            var client = services.AddHttpClient(Prices);
            Add(place == "between");
            client.AddSingleFlight();
            Add(place == "after");

            void Add(bool isHere)
            {
                if (isHere)
                {
                    services.AddSingleton<IHttpMessageHandlerBuilderFilter>(new Adding(isRouter));
                }
            }
        });

        await EachTenantGetsItsOwn(provider, isRouter ? "another path or query" : "the header X-Tenant");
    }

    private sealed class Adding(bool isRouter) : IHttpMessageHandlerBuilderFilter
    {
        public Action<HttpMessageHandlerBuilder> Configure(Action<HttpMessageHandlerBuilder> next) => builder =>
        {
            next(builder);
            builder.AdditionalHandlers.Add(isRouter
                ? new AppHandler(static request => request.RequestUri = new Uri(request.RequestUri!, $"/of/{Ambient.User}"))
                : new AddingHeader("X-Tenant", static _ => Ambient.User));
        };
    }
}
