using System.Buffers;

namespace Polly.SingleFlight.Caching.RealCaches.Tests.Infrastructure;

/// <summary>Fails to write what the test says.</summary>
internal sealed class FailingSerializer(Func<Token, bool> fails) : IHybridCacheSerializer<Token>
{
    private readonly EncryptingSerializer _others = new();

    public Token Deserialize(ReadOnlySequence<byte> source) => _others.Deserialize(source);

    public void Serialize(Token value, IBufferWriter<byte> target)
    {
        if (fails(value))
        {
            throw new NotSupportedException("This cannot be written.");
        }

        _others.Serialize(value, target);
    }
}
