using Polly.SingleFlight.BrowserCheck;

try
{
    var options = CheckOptions.Parse(args);
    await using var browser = await Chromium.StartAsync();
    using var interrupted = new CancellationTokenSource();
    Console.CancelKeyPress += (_, pressed) =>
    {
        pressed.Cancel = true;
        interrupted.Cancel();
    };

    int pages = 0, faults = 0;
    foreach (var target in options.Targets)
    {
        await using var site = await StaticSite.StartAsync(target);
        using var check = new SiteCheck(site, browser, options.Expectations);
        foreach (var fault in await check.RunAsync().WaitAsync(interrupted.Token))
        {
            Console.WriteLine(fault);
            faults++;
        }

        pages += check.Pages;
    }

    Console.WriteLine($"{pages} {(pages == 1 ? "page" : "pages")} checked, {faults} {(faults == 1 ? "fault" : "faults")}");
    return faults == 0 ? 0 : 1;
}
catch (OperationCanceledException)
{
    Console.Error.WriteLine("interrupted");
    return 2;
}
catch (ArgumentException exception)
{
    Console.Error.WriteLine($"{exception.Message}\n\n{CheckOptions.Usage}");
    return 2;
}
catch (Exception exception)
{
    // Caught, whatever it is, so that the browser has been ended.
    Console.Error.WriteLine(exception);
    return 2;
}
