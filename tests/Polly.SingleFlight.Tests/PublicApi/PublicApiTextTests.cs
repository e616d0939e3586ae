namespace Polly.SingleFlight.Tests.PublicApi;

/// <summary>The text of the baseline is only worth comparing if nothing that breaks a user is missing in it.</summary>
public class PublicApiTextTests
{
    [Fact]
    public void Of_Class_ShowsEverythingAUserCanName()
    {
        const string Expected = """
            public abstract class PublicApiTextTests.Sample<TKey, TValue> : PublicApiTextTests.Root, IDisposable where TKey : notnull where TValue : class?, new()
                public const int Limit = 3
                protected static readonly string? Name
                protected Sample(TKey key, TValue? value = null)
                public int this[string name] { get; protected set; }
                public required string Required { get; init; }
                public event EventHandler<PublicApiTextTests.Sample<TKey, TValue>>? Changed
                public virtual void Dispose()
                public abstract (TKey, Dictionary<string, List<object?>?>) Find(in TKey key, out TValue? value, ref int? count)
                [Obsolete("Use Find.")] public TResult? Get<TResult>(Func<TKey, TResult> get, TimeSpan wait = default, StringComparison comparison = StringComparison.Ordinal, string text = "none", params string?[]? rest) where TResult : struct, IComparable<TResult>
                public sealed override string ToString()

            """;

        Assert.Equal(Expected.ReplaceLineEndings("\n"), PublicApiText.Of(typeof(Sample<,>)));
    }

    [Fact]
    public void Of_OtherKindsOfTypes_ShowsTheKind()
    {
        string[] actual = [.. new[]
        {
            typeof(Row<>), typeof(Span), typeof(Shape), typeof(Pick<,>), typeof(ISource<>), typeof(Sealed),
        }.Select(PublicApiText.Of)];

        Assert.Equal(
            [
                "public readonly record struct PublicApiTextTests.Row<T> : IEquatable<PublicApiTextTests.Row<T>>\n    public Row(T Cell)\n"
                    + "    public T Cell { get; init; }\n    public void Deconstruct(out T Cell)\n",
                "public ref struct PublicApiTextTests.Span\n    public const int Length = 1\n",
                "[Flags] public enum PublicApiTextTests.Shape : byte\n    None = 0\n    Round = 2\n",
                "public delegate TOut? PublicApiTextTests.Pick<in TIn, out TOut>(TIn[] items)\n",
                "public interface PublicApiTextTests.ISource<out T>\n    public T Next { get; }\n",
                "public sealed record class PublicApiTextTests.Sealed : IEquatable<PublicApiTextTests.Sealed>\n    public Sealed()\n",
            ],
            actual);
    }

    public abstract class Sample<TKey, TValue> : Root, IDisposable
        where TKey : notnull
        where TValue : class?, new()
    {
        public const int Limit = 3;

        protected static readonly string? Name;

        private protected int _hidden;

        protected Sample(TKey key, TValue? value = null) => _hidden = value is null ? key.GetHashCode() : 0;

        public event EventHandler<Sample<TKey, TValue>>? Changed;

        public required string Required { get; init; }

        internal int Hidden => _hidden;

        public int this[string name]
        {
            get => name.Length;
            protected set => Changed?.Invoke(this, this);
        }

        [Obsolete("Use Find.")]
        public TResult? Get<TResult>(
            Func<TKey, TResult> get,
            TimeSpan wait = default,
            StringComparison comparison = StringComparison.Ordinal,
            string text = "none",
            params string?[]? rest)
            where TResult : struct, IComparable<TResult> => null;

        public abstract (TKey First, Dictionary<string, List<object?>?> Second) Find(in TKey key, out TValue? value, ref int? count);

        public virtual void Dispose() => GC.SuppressFinalize(this);

        public sealed override string ToString() => "";
    }

    public abstract class Root;

    public readonly record struct Row<T>(T Cell);

    public ref struct Span
    {
        public const int Length = 1;
    }

    [Flags]
    public enum Shape : byte
    {
        None = 0,
        Round = 2,
    }

    public delegate TOut? Pick<in TIn, out TOut>(TIn[] items);

    public interface ISource<out T>
    {
        T Next { get; }
    }

    public sealed record Sealed;
}
