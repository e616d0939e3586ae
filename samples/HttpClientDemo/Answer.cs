namespace HttpClientDemo;

/// <summary>What one caller got, and how long it waited.</summary>
/// <param name="Region">Region it asked for.</param>
/// <param name="Wait">Time from its question to its answer.</param>
/// <param name="HasWaited">Whether the answer was not there at once.</param>
/// <param name="Token">Token that it got.</param>
/// <param name="Error">Exception that it got instead.</param>
internal sealed record Answer(Region Region, TimeSpan Wait, bool HasWaited, AccessToken? Token, Exception? Error);
