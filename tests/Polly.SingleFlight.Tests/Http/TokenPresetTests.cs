using System.Text;

namespace Polly.SingleFlight.Tests.Http;

/// <summary>Which token requests may share, and with whom.</summary>
public sealed class TokenPresetTests : HttpTest
{
    private const string Grant = "grant_type=client_credentials";

    [Theory]
    [InlineData(Grant)]
    [InlineData(Grant + "&scope=a")]
    [InlineData("scope=a+b&" + Grant)]
    [InlineData("grant%5Ftype=client%5fcredentials")]
    [InlineData(Grant + "&empty=&noValue")]
    [InlineData(Grant + "&&")]
    public async Task Form_OfTheClientCredentialsGrant_TakesPart(string form)
    {
        await Send(form);

        Assert.Equal((1, 0), (Probe[Started], Probe[Bypassed]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("scope=a")]
    [InlineData("grant_type=")]
    [InlineData("grant_type=password&username=a&password=b")]
    [InlineData("grant_type=authorization_code&code=1")]
    [InlineData("grant_type=refresh_token&refresh_token=1")]
    [InlineData("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange")]
    [InlineData("grant_type=CLIENT_CREDENTIALS")]
    [InlineData("GRANT_TYPE=client_credentials")]
    [InlineData(Grant + "&" + Grant)]
    [InlineData(Grant + "&grant_type=password")]
    [InlineData("grant_type=password&" + Grant)]
    [InlineData(Grant + "&scope=%")]
    [InlineData(Grant + "&scope=%1")]
    [InlineData(Grant + "&scope=%zz")]
    [InlineData(Grant + "&sc%2=a")]
    [InlineData("grant_type=client_credentials%")]
    public async Task Form_OfAnotherGrantOrMalformed_Bypasses(string form)
    {
        await Send(form);

        Assert.Equal((0, 1), (Probe[Started], Probe[Bypassed]));
    }

    [Theory]
    [InlineData("application/json", false)]
    [InlineData("text/plain", false)]
    [InlineData("multipart/form-data; boundary=x", false)]
    [InlineData(null, false)]
    [InlineData("application/x-www-form-urlencoded", true)]
    [InlineData("Application/X-WWW-Form-UrlEncoded; charset=utf-8", true)]
    public async Task ContentType_MustBeAForm(string? type, bool takesPart)
    {
        await Send(Grant, type: type);

        Assert.Equal(takesPart ? (1, 0) : (0, 1), (Probe[Started], Probe[Bypassed]));
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("PUT")]
    public async Task Method_OtherThanPost_Bypasses(string method)
    {
        await Send(Grant, method: method);

        Assert.Equal((0, 1), (Probe[Started], Probe[Bypassed]));
    }

    [Theory]
    [InlineData(Grant + "&scope=a&audience=b", "audience=b&scope=a&" + Grant, true)]
    [InlineData(Grant + "&scope=a+b", Grant + "&scope=a%20b", true)]
    [InlineData(Grant + "&scope=%61", Grant + "&scope=a", true)]
    [InlineData(Grant + "&scope=a%2Bb", Grant + "&scope=a+b", false)]
    [InlineData(Grant + "&scope=a", Grant + "&scope=b", false)]
    [InlineData(Grant + "&scope=a", Grant + "&scope=A", false)]
    [InlineData(Grant + "&scope=a", Grant, false)]
    [InlineData(Grant + "&tenant=a", Grant + "&tenant=b", false)]
    [InlineData(Grant + "&unheard_of=a", Grant + "&unheard_of=b", false)]
    [InlineData(Grant + "&scope=a&scope=a", Grant + "&scope=a", false)]
    [InlineData(Grant + "&scope=a&scope=b", Grant + "&scope=a+b", false)]
    [InlineData(Grant + "&a=b%26c%3Dd", Grant + "&a=b&c=d", false)]
    [InlineData(Grant + "&a=bc", Grant + "&ab=c", false)]
    [InlineData(Grant + "&a=%FF", Grant + "&a=%FE", false)]
    [InlineData(Grant + "&a=%FF", Grant + "&a=%EF%BF%BD", false)]
    [InlineData(Grant + "&a=%C3%BC", Grant + "&a=u%CC%88", false)]
    [InlineData(Grant + "&a=%00", Grant + "&a=", false)]
    public async Task TwoForms_ShareExactlyWhenTheirFieldsAreEqual(string one, string other, bool share)
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Text).With("Cache-Control", "no-store"));
        var client = Client(upstream, Pipeline(Watched(HttpSingleFlightStrategyOptions.ForTokenEndpoint())));
        var callers = new[] { client.SendAsync(Form(one)), client.SendAsync(Form(other)) };
        if (share)
        {
            await Probe.Reached(Joined, 1);
        }
        else
        {
            await upstream.Received(2);
        }

        Gate.Open();

        Assert.Equal([one, share ? one : other], await Bodies(callers));
        Assert.Equal(share ? 1 : 2, upstream.Calls);
    }

    [Fact]
    public async Task ClientsOfTwoSecrets_InTheHeaderOrTheForm_NeverShare()
    {
        var upstream = new Upstream(Gate, static sent => Ok(sent.Header("Authorization") + sent.Text));
        var client = Client(upstream, Pipeline(Watched(HttpSingleFlightStrategyOptions.ForTokenEndpoint())));
        var callers = new[]
        {
            client.SendAsync(Form(Grant).With("Authorization", "Basic alice")),
            client.SendAsync(Form(Grant).With("Authorization", "Basic bob")),
            client.SendAsync(Form(Grant + "&client_id=a&client_secret=1")),
            client.SendAsync(Form(Grant + "&client_id=a&client_secret=2")),
        };
        await upstream.Received(4);
        Gate.Open();

        Assert.Equal(4, (await Bodies(callers)).Distinct().Count());
    }

    [Fact]
    public async Task DPoPProof_OnATokenRequest_Bypasses()
    {
        var upstream = new Upstream(static _ => Ok("token"));
        var client = Client(upstream, Pipeline(Watched(HttpSingleFlightStrategyOptions.ForTokenEndpoint())));
        await client.SendAsync(Form(Grant).With("DPoP", "proof"));

        Assert.Equal([BypassReason.Header], Reasons);
    }

    [Fact]
    public async Task SetCookie_OnATokenResponse_IsStillNotShared()
    {
        var upstream = new Upstream(Gate, static sent => Ok("token " + sent.Number).With("Set-Cookie", "a=b").With("Cache-Control", "no-store"));
        var client = Client(upstream, Pipeline(Watched(HttpSingleFlightStrategyOptions.ForTokenEndpoint())));
        var callers = await Start(client, 3, static () => Form(Grant));
        Gate.Open();

        Assert.Equal(3, (await Bodies(callers)).Distinct().Count());
    }

    private static HttpRequestMessage Form(string form) =>
        new(HttpMethod.Post, Address) { Content = new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded") };

    private async Task Send(string form, string? type = "application/x-www-form-urlencoded", string method = "POST")
    {
        var upstream = new Upstream(static _ => Ok("token"));
        var client = Client(upstream, Pipeline(Watched(HttpSingleFlightStrategyOptions.ForTokenEndpoint())));
        using var request = new HttpRequestMessage(new HttpMethod(method), Address) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(form)) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type is null ? [] : [type]);
        Assert.Equal("token", await Body(client.SendAsync(request)));
        Assert.Equal(form, Assert.Single(upstream.Requests).Text);
    }
}
