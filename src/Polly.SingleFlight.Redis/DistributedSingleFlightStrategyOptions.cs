using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Caching.Hybrid;

namespace Polly.SingleFlight.Redis;

/// <summary>
/// Options of the distributed single flight strategy.
/// </summary>
/// <typeparam name="TResult">The result type of the pipeline.</typeparam>
/// <remarks>The values are read when the pipeline is built. Nodes whose options differ in what decides on identity (serializer and version) do not meet.</remarks>
public class DistributedSingleFlightStrategyOptions<TResult> : ResilienceStrategyOptions
{
    /// <summary>Initializes a new instance of the <see cref="DistributedSingleFlightStrategyOptions{TResult}"/> class.</summary>
    public DistributedSingleFlightStrategyOptions() => Name = "DistributedSingleFlight";

    /// <summary>
    /// Gets or sets the generator of the key under which executions of all nodes are coalesced.
    /// </summary>
    /// <value>
    /// Required. The default returns <see cref="SingleFlightResilienceContextExtensions.GetSingleFlightKey"/> of the context. A <see langword="null"/> key or an empty string
    /// bypasses. A key must be a string, a number, a <see cref="bool"/>, a <see cref="Guid"/>, an enumeration or a tuple of these, which are spelled the same on every node;
    /// with any other the execution fails with an <see cref="InvalidOperationException"/>. A generator that throws fails that caller only.
    /// </value>
    [Required]
    public Func<SingleFlightKeyGeneratorArguments, ValueTask<object?>> KeyGenerator { get; set; } = static args => new(args.Context.GetSingleFlightKey());

    /// <summary>
    /// Gets or sets how results are written for other nodes. Its type is part of the identity of a flight.
    /// </summary>
    /// <value>
    /// The default is <see langword="null"/>: System.Text.Json, with <see cref="JsonTypeInfo"/> if that is set. A result that it does not read back as it was, is not shared.
    /// </value>
    public IHybridCacheSerializer<TResult>? Serializer { get; set; }

    /// <summary>
    /// Gets or sets the generated code with which System.Text.Json writes results, for applications that are trimmed or compiled ahead of time.
    /// </summary>
    /// <value>The default is <see langword="null"/>: by reflection. Not used if there is a <see cref="Serializer"/>.</value>
    public JsonTypeInfo<TResult>? JsonTypeInfo { get; set; }

    /// <summary>
    /// Gets or sets how failures are written for other nodes.
    /// </summary>
    /// <value>
    /// The default is <see langword="null"/>: failures are not handed over, and each follower runs its own callback. Cancellations and rejections, such as those of a
    /// circuit breaker, are never handed over.
    /// </value>
    public IHybridCacheSerializer<Exception>? ExceptionSerializer { get; set; }

    /// <summary>
    /// Gets or sets the version of the result's shape. Nodes with different versions do not meet.
    /// </summary>
    /// <value>The default is 0.</value>
    public int Version { get; set; }

    /// <summary>
    /// Gets or sets which outcomes other nodes may have. Asked once for an execution, on its leader's node. One that throws says no.
    /// </summary>
    /// <value>The default is <see langword="null"/>: all.</value>
    public Func<ShouldSharePredicateArguments<TResult>, ValueTask<bool>>? ShouldShare { get; set; }

    /// <summary>
    /// Gets or sets how many bytes a serialized outcome may have. A larger one is not shared.
    /// </summary>
    /// <value>At least 1. The default is 256 KiB.</value>
    [Range(1, int.MaxValue)]
    public int MaxPayloadBytes { get; set; } = 256 * 1024;

    /// <summary>
    /// Gets or sets how old a flight may be for this pipeline's callers to join it, by the clock of the server. A caller that comes later starts another flight; the old one
    /// keeps the callers it has.
    /// </summary>
    /// <value>Positive, or <see cref="System.Threading.Timeout.InfiniteTimeSpan"/>, the default.</value>
    [TimeRange(0, double.MaxValue, AllowsInfinite = true)]
    public TimeSpan MaxJoinAge { get; set; } = System.Threading.Timeout.InfiniteTimeSpan;

    /// <summary>
    /// Gets or sets how long a caller follows flights of other nodes before it runs its own callback.
    /// </summary>
    /// <value>Positive. The default is 30 seconds.</value>
    [TimeRange(0, double.MaxValue)]
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how long a leader is believed in that does not show itself. It is renewed at a third of it; a leader that is lost is replaced at its end.
    /// </summary>
    /// <value>From half a second to one minute. The default is 5 seconds.</value>
    [TimeRange(0.5, 60)]
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Gets or sets how long a caller waits for the answer to a command. When Redis has answered no other in time either, callbacks run on this node alone until it answers again.
    /// </summary>
    /// <remarks>The <c>AsyncTimeout</c> of the connection, 5 seconds by default, ends commands as well.</remarks>
    /// <value>Positive. The default is 250 milliseconds.</value>
    [TimeRange(0, double.MaxValue)]
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromMilliseconds(250);
}
