// Package beat carries a sign of life with a context: a function that waits for something outside of the process says at each
// attempt that it is still at it. So a long wait for a server that is away is told apart from a goroutine that hangs.
//
// It promises nothing but the call; a context without a beat is as good as any. It never blocks by itself.
package beat

import "context"

type key struct{}

// With is a context that calls beat at each Beat of it and of the contexts made from it. beat must be quick.
func With(ctx context.Context, beat func()) context.Context {
	return context.WithValue(ctx, key{}, beat)
}

// Beat gives a sign of life. What follows must either end in a bounded time or beat again.
func Beat(ctx context.Context) {
	if beat, ok := ctx.Value(key{}).(func()); ok {
		beat()
	}
}
