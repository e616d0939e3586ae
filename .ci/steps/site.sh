# The site: the guide and the reference of the API.
# Read by .ci/run; each step_NAME runs in a shell of its own, with the root of the repository as its folder.

step_site() {                           # built into docs/site, which is not in the repository, and looked at in Chromium
    dotnet tool restore
    rm -rf docs/api docs/site           # pages of what is no longer there
    dotnet docfx docfx.json --warningsAsErrors
    timeout 600 dotnet run --project tests/Polly.SingleFlight.BrowserCheck -- docs/site
}
